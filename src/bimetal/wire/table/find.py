"""Find: the column that a name means, whatever its case, blanks and unit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

from bimetal.nouns.errors import BadInput
from bimetal.wire.table.column import Column
from bimetal.wire.table.name import plain_name, read_name

SHOWN = 12
LONGEST = 64


def find_column(columns: Sequence[Column], name: str, where: str) -> Column:
    """Return the column that a user named. Raises BadInput with the nearest names when none has it."""
    found = seek_column(columns, name)
    if found is not None:
        return found
    headings = [c.heading for c in columns]
    near = difflib.get_close_matches(name, headings, n=3, cutoff=0.5)
    shown = ", ".join(headings[:SHOWN]) + (" ..." if len(headings) > SHOWN else "")
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Its columns are: {shown}"
    raise BadInput(f"there is no column {name[:LONGEST]!r}", where=where, hint=hint)


def seek_column(columns: Sequence[Column], name: str) -> Column | None:
    """Return the column that a name means, the closest spelling first, or None."""
    plain, bare = plain_name(name), plain_name(read_name(name).text)
    tests: tuple[Callable[[Column], bool], ...] = (
        lambda c: c.heading == name,
        lambda c: c.name.text == name,
        lambda c: plain_name(c.heading) == plain,
        lambda c: plain_name(c.name.text) == plain,
        lambda c: bool(bare) and plain_name(c.name.text) == bare,
    )
    for test in tests:
        for column in columns:
            if test(column):
                return column
    return None


def split_names(names: str, columns: Sequence[Column]) -> list[str]:
    """Split names with commas or plus signs between them, unless a column is called just that."""
    if seek_column(columns, names) is not None:
        return [names]
    return [n.strip() for n in names.replace("+", ",").split(",") if n.strip()]
