"""Dialect: how a text table is written: separator, quotes, decimal mark, header, what to skip."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bimetal.nouns.errors import BadInput
from bimetal.wire.table.cell import Marks
from bimetal.wire.table.header import JUDGED, find_header, is_units_row, looks_clean
from bimetal.wire.table.shape import counted

SEPARATORS = (",", ";", "\t", "|", " ")
COMMENTS = ("#", "%", "//")
MOST_LINES = 400
HEAD_LINES = 60
SEEN = 0.005
"""The share of cells that must have a decimal comma for it to be more than a slip."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text table is written.

    `separator` is one character, a blank for any run of blanks; `skip` counts the lines before
    the first row; `headings` has a name for each of the `width` columns; `comment` begins lines
    that are no rows; `units` says that a row of units was found and went into the headings.
    """

    separator: str
    marks: Marks
    headings: tuple[str, ...]
    header: bool
    skip: int
    comment: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.headings)


def find_dialect(lines: Sequence[str], where: str) -> Dialect:
    """Find out how a table is written from its first lines.

    Raises BadInput when there are none, or nothing in them hangs together.
    """
    skip, told = _told_separator(lines)
    comment, after = _leading_comments(lines, skip)
    body = [
        line for line in lines[after:] if line.strip() and not (comment and line.lstrip().startswith(comment))
    ]
    if not body:
        raise BadInput("the file holds no rows", where=where, hint="Give a table with readings in it")
    separator = told or find_separator(body)
    rows = [split_line(line, separator) for line in body[:MOST_LINES]]
    width = _usual_width(rows)
    preamble = next(
        i for i, r in enumerate(rows) if len(r) >= min(width, 2) and (len(r) >= width - 1 or width < 3)
    )
    rows = rows[preamble:]
    first, header = _header_of(lines, rows, width, comment, after, separator)
    units = header and len(rows) > 2 and is_units_row(rows[1], rows[2:HEAD_LINES])
    taken = preamble + int(header and first is None) + int(units)
    headings = _headings(
        first or rows[0] if header else [], rows[taken - preamble :], width, rows[1] if units else []
    )
    notes = (
        (counted(preamble, "line before the table is skipped", "lines before the table are skipped"),)
        if preamble
        else ()
    )
    marks = find_marks(rows[taken - preamble :], separator)
    return Dialect(
        separator, marks, headings, header, _lines_before(lines, after, comment, taken), comment, notes
    )


def split_line(line: str, separator: str) -> list[str]:
    """Split one line into cells, quotes honoured; a blank as separator means any run of blanks."""
    if separator == " ":
        return _BLANKS.split(line.strip(" \t\r\n"))
    line = line.rstrip("\r\n")
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [""])
    except csv.Error:
        return line.split(separator)


def find_separator(lines: Sequence[str]) -> str:
    """Return the separator under which lines have the same number of cells and cells make sense."""
    sample = [*lines[:20], *lines[20 :: max(1, len(lines) // 80)]][-100:]
    best, merit = ",", -1.0
    for separator in SEPARATORS:
        rows = [split_line(line, separator) for line in sample]
        width = _usual_width(rows)
        even = sum(len(r) == width for r in rows) / len(rows)
        cells = [c for r in rows[-40:] for c in r[:60]]
        clean = sum(map(looks_clean, cells)) / max(len(cells), 1)
        score = even * clean * (1.0 if width > 1 else 0.5)
        if score > merit + 1e-9:
            best, merit = separator, score
    return best


def find_marks(rows: Sequence[Sequence[str]], separator: str) -> Marks:
    """Return how numbers are written: `2,6` makes the comma the decimal mark, `1,234.5` does not."""
    cells = [c.strip().strip('"') for r in rows for c in r[:JUDGED]]
    grouped = sum(bool(_COMMA_GROUPED.fullmatch(c)) for c in cells)
    comma = sum(bool(_COMMA_DECIMAL.fullmatch(c)) for c in cells) - grouped
    point = sum(bool(_POINT_DECIMAL.fullmatch(c)) for c in cells)
    both = sum(bool(_POINT_THEN_COMMA.fullmatch(c)) for c in cells)
    said = sum(bool(c) and c[-1].isdigit() for c in cells)
    if comma + both > said * SEEN and comma + both >= point * 0.1:
        return Marks(",")
    return Marks("," if grouped and not point and separator != "," else ".")


def _told_separator(lines: Sequence[str]) -> tuple[int, str]:
    """Honour a first line such as `sep=;`, which spreadsheets write."""
    told = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", lines[0]) if lines else None
    return (1, told[1]) if told and told[1] in SEPARATORS else (0, "")


def _leading_comments(lines: Sequence[str], skip: int) -> tuple[str, int]:
    """Return (what begins comments, how many lines they take with all before them)."""
    mark, after = "", skip
    for place in range(skip, len(lines)):
        line = lines[place].lstrip()
        found = next((c for c in COMMENTS if line.startswith(c)), "")
        if not found or (mark and found != mark):
            if line.strip():
                break
            continue
        mark, after = found, place + 1
    return mark, after


def _header_of(
    lines: Sequence[str], rows: list[list[str]], width: int, comment: str, after: int, separator: str
) -> tuple[list[str] | None, bool]:
    """Return (the header if it stands in a comment, whether there is a header)."""
    if find_header(rows[:HEAD_LINES]):
        return None, True
    if comment:
        last = next((line for line in reversed(lines[:after]) if line.lstrip().startswith(comment)), "")
        cells = split_line(last.lstrip()[len(comment) :].strip(), separator)
        if len(cells) == width and find_header([cells, *rows[:HEAD_LINES]]):
            return cells, True
    return None, False


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    counts = Counter(len(r) for r in rows)
    return max(counts, key=lambda width: (counts[width], width))


def _headings(
    first: Sequence[str], body: Sequence[Sequence[str]], width: int, units: Sequence[str]
) -> tuple[str, ...]:
    """Name every column: a header may lack the row numbers' name, or that of an empty last column."""
    names = [c.strip().strip('"').strip() for c in first][:width]
    short = width - len(names)
    if names and short:
        trailing = all(not c for r in body[:50] for c in r[len(names) :])
        names = [*names, *[""] * short] if trailing else [*[""] * short, *names]
    names = [*names, *[""] * (width - len(names))]
    if units:
        told = [u.strip().strip("[]()") for u in units]
        names = [f"{n} [{u}]" if u and n else n for n, u in zip(names, told, strict=False)] + names[
            len(told) :
        ]
    bare = [all(place >= len(r) or not r[place].strip() for r in body) for place in range(width)]
    return tuple(
        n or ("" if empty else f"c{place + 1}")
        for place, (n, empty) in enumerate(zip(names, bare, strict=True))
    )


def _lines_before(lines: Sequence[str], after: int, comment: str, taken: int) -> int:
    """Return how many lines there are before the first row, empty ones and comments counted."""
    place = after
    while taken:
        line = lines[place].strip()
        taken -= bool(line and not (comment and line.startswith(comment)))
        place += 1
    return place


_BLANKS = re.compile(r"[ \t]+")
_COMMA_DECIMAL = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", re.ASCII)
_COMMA_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_POINT_DECIMAL = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)\.\d+(?:[eE][+-]?\d+)?", re.ASCII)
_POINT_THEN_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+,\d+", re.ASCII)
