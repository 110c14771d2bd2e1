"""Cell: what one cell of text says as a number; the law that every faster way of reading answers to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.unit import find_unit

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Marks:
    """How a table writes numbers: the decimal mark, `.` or `,`."""

    decimal: str = "."


MISSING = frozenset(
    [
        "",
        "nan",
        "null",
        "none",
        "nil",
        "na",
        "n/a",
        "#n/a",
        "#na",
        "-nan",
        "nan(ind)",
        "-",
        "--",
        "---",
        "?",
        ".",
        "..",
        "...",
        "*",
        "missing",
        "undefined",
        "void",
        "invalid",
        "error",
        "bad",
        "fault",
        "no data",
        "nodata",
        "no_data",
        "\\n",
        "unavailable",
        "unknown",
        "not available",
        "(null)",
        "<null>",
        "<na>",
        "#value!",
        "#div/0!",
        "#ref!",
        "#num!",
        "1.#ind",
        "-1.#ind",
        "1.#qnan",
        "-1.#qnan",
        "1.#snan",
    ]
)
"""Cells, in lower case and without blanks around them, that mean that nothing was measured."""

TRUE = frozenset(("true", "on", "yes", "open", "opened", "enabled", "active"))
FALSE = frozenset(("false", "off", "no", "close", "closed", "disabled", "inactive"))


def number_of(cell: str, marks: Marks) -> float | None:
    """Return a cell's number; NaN when it says that nothing was measured, None when it is no number.

    Infinities come back as such. Thousands may be grouped by comma, point, blank or
    apostrophe; a recognised unit may follow (`12.3 °C`).
    """
    text = cell.strip().strip('"').strip().replace("\N{MINUS SIGN}", "-")
    if text.casefold() in MISSING:
        return NAN
    if _PLAIN.fullmatch(text) and not (marks.decimal == "," and _POINT_GROUPS.fullmatch(text)):
        return float(text)
    return _dressed(text, marks)


def numbers_of(cells: Sequence[str], marks: Marks) -> tuple[NDArray[np.float64], int]:
    """Read a column of cells; return (values, with NaN for what is no number, and how many were none)."""
    quick = _quick(cells, marks)
    if quick is not None:
        return quick, 0
    known: dict[str, float | None] = {}
    values = np.empty(len(cells))
    bad = 0
    for row, cell in enumerate(cells):
        value = known[cell] if cell in known else known.setdefault(cell, number_of(cell, marks))
        bad += value is None
        values[row] = NAN if value is None else value
    return values, bad


def switches_of(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Read a column of on and off, true and false, or open and closed as 1 and 0; None when it is none."""
    values = {cell: _switch(cell) for cell in set(cells)}
    said = [value for value in values.values() if value is not None]
    words = any(cell.strip().casefold() in TRUE | FALSE for cell in values)
    if len(said) < len(values) or not words:
        return None
    return np.array([values[cell] for cell in cells], dtype=np.float64)


def switch_of(cell: str) -> float:
    """Return 1 for on, 0 for off, NaN for anything else."""
    value = _switch(cell)
    return NAN if value is None else value


def _switch(cell: str) -> float | None:
    text = cell.strip().strip('"').strip().casefold()
    if text in MISSING:
        return NAN
    if text in TRUE or text in ("1", "1.0"):
        return 1.0
    return 0.0 if text in FALSE or text in ("0", "0.0") else None


def _quick(cells: Sequence[str], marks: Marks) -> NDArray[np.float64] | None:
    """Read cells that are all plain numbers, several times faster than one by one."""
    joined = "".join(cells)
    if not _ORDINARY.fullmatch(joined) or (marks.decimal == "," and "." in joined):
        return None
    try:
        return np.array([float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return None


def _dressed(text: str, marks: Marks) -> float | None:
    bare = _BLANKS.sub("\N{NO-BREAK SPACE}", text)
    for pattern, mark, groups in _WAYS if marks.decimal == "." else (_WAYS[1], _WAYS[3], _WAYS[2], _WAYS[0]):
        if pattern.fullmatch(bare):
            return float("".join(c for c in bare if c not in groups).replace(mark, "."))
    if _INFINITE.fullmatch(text):
        return float("-inf") if text.startswith("-") else float("inf")
    found = _WITH_UNIT.fullmatch(text)
    return number_of(found[1], marks) if found and find_unit(found[2]) else None


_EXP = r"(?:[eE][+-]?\d+)?"
_PLAIN = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXP}", re.ASCII)
_ORDINARY = re.compile(r"[0-9eE+\-. ]*", re.ASCII)
_COMMA_DECIMAL = re.compile(rf"[+-]?(?:\d+,\d*|,\d+){_EXP}", re.ASCII)
_COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?", re.ASCII)
_OTHER_GROUPS = re.compile("[+-]?\\d{1,3}(?:[\N{NO-BREAK SPACE}'’]\\d{3})+(?:[.,]\\d*)?", re.ASCII)
_BLANKS = re.compile("[\N{NARROW NO-BREAK SPACE}\N{THIN SPACE} ](?=\\d{3}(?!\\d))")
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞|1\.#inf)", re.IGNORECASE)
_WITH_UNIT = re.compile(r"([+-]?[\d.,'’\s]*\d[.,]?(?:[eE][+-]?\d+)?)\s*([^\d\s+\-.,'’][^\s]{0,7}(?: [CF])?)")
_WAYS = (
    (_COMMA_GROUPS, ".", ","),
    (_POINT_GROUPS, ",", "."),
    (_OTHER_GROUPS, ",", "\N{NO-BREAK SPACE}'’"),
    (_COMMA_DECIMAL, ",", ""),
)
"""Ways to write a number with groups or a comma: pattern, decimal mark, group marks."""
