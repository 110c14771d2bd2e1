"""Header: whether the first row of a table names its columns, and the second gives their units."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from bimetal.wire.table.cell import MISSING, Marks, number_of
from bimetal.wire.table.stamp import ORDERS, read_stamps
from bimetal.wire.table.unit import find_unit

VALUED = 0.8
OUTLYING = 0.8
JUDGED = 200
"""Columns that are judged; more would not tell more."""


def find_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of these rows names the columns of the others."""
    first, body = rows[0], rows[1:]
    if not body:
        return bool(first) and not any(is_value(c) and c.strip().casefold() not in MISSING for c in first)
    names = [c.strip() for c in first]
    shift = max(len(r) for r in body) - len(first)
    valued = [
        j for j in range(min(len(first), JUDGED)) if _valued(body, j) or (shift == 1 and _valued(body, j + 1))
    ]
    if not valued:
        return len(set(names)) == len(names) and not _recurs(names, body)
    if any(names[j] and not is_value(names[j]) for j in valued):
        return True
    return _counts_up(names) or _stands_apart(names, body, valued)


def is_units_row(row: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a row under the header holds units, or kinds of value, and no readings."""
    said = [c.strip().strip("[]()") for c in row]
    valued = [j for j in range(min(len(row), JUDGED)) if _valued(body, j)]
    if not valued or any(number_of(said[j], Marks()) is not None and said[j] for j in valued):
        return False
    units = sum(bool(find_unit(said[j])) or said[j] in ("", "-") for j in valued)
    some = any(find_unit(said[j]) for j in valued)
    return (some and units * 2 >= len(valued)) or all(said[j].lower() in _KINDS for j in valued)


def is_value(cell: str) -> bool:
    """Whether a cell holds a number, a time, or a word for nothing."""
    text = cell.strip()
    return number_of(text, Marks()) is not None or _is_stamp(text)


def looks_clean(cell: str) -> bool:
    """Whether a cell makes sense as one cell, and not as several that were not parted."""
    text = cell.strip().strip('"')
    if text.casefold() in MISSING:
        return True
    if _PARTED.search(text):
        return _is_stamp(text) or bool(_NUMBER.fullmatch(text))
    return number_of(text, Marks()) is not None or bool(_WORD.fullmatch(text)) or _is_stamp(text)


def _is_stamp(text: str) -> bool:
    if not _HAS_DIGIT.search(text) or len(text) > 48:
        return False
    cells = np.array([text.encode("utf-8", "replace")])
    return any(bool(read_stamps(cells, order).ok.any()) for order in ORDERS)


def _valued(body: Sequence[Sequence[str]], place: int) -> bool:
    cells = [r[place] for r in body if place < len(r)]
    said = [c for c in cells if c.strip().casefold() not in MISSING]
    return bool(said) and sum(map(is_value, said[:40])) >= VALUED * len(said[:40])


def _recurs(names: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a cell of the first row comes again below it in its column, as data does."""
    return any(
        name and any(j < len(r) and r[j].strip() == name for r in body) for j, name in enumerate(names)
    )


def _counts_up(names: Sequence[str]) -> bool:
    """Whether names are 0, 1, 2 ..., as a data frame without names writes them."""
    start = 1 if names and not names[0] else 0
    return len(names) - start > 1 and list(names[start:]) == [str(n) for n in range(len(names) - start)]


def _stands_apart(names: Sequence[str], body: Sequence[Sequence[str]], valued: Sequence[int]) -> bool:
    """Whether the first row's cells are different whole numbers far outside their columns' range."""
    if (
        len(valued) < 3
        or len(set(names)) < len(names)
        or not all(re.fullmatch(r"\d{3,}", names[j]) for j in valued)
    ):
        return False
    apart = 0
    for place in valued:
        numbers = [number_of(r[place], Marks()) for r in body if place < len(r)]
        values = np.array([v for v in numbers if v is not None and v == v])
        if len(values):
            far = max(5 * float(np.ptp(values)), 5 * float(np.abs(values).max()))
            apart += abs(float(names[place]) - float(np.median(values))) > far
    return apart >= OUTLYING * len(valued)


_KINDS = frozenset(("float", "double", "int", "integer", "string", "datetime", "real", "number", "long", ""))
_HAS_DIGIT = re.compile(r"\d")
_PARTED = re.compile(r"[,;\t|]|\d\s+[-+.\d]|\w\s{2,}\w")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:[,. ]\d{3})*|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[^\W\d_][\w .:%°()\[\]/+#&'-]{0,200}|[\w.:-]{1,40}|[\d.,]+\s?[^\W\d]{1,8}(?:/\w+)?")
