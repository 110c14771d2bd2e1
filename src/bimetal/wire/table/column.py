"""Column: the cells of one column, as a source hands them over, and what a look at them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.cell import MISSING, Marks, numbers_of, switches_of
from bimetal.wire.table.name import Name, read_name, tidy_heading

NO_TIME = np.iinfo(np.int64).min
"""Stands for a missing instant among nanoseconds."""

Fineness: TypeAlias = Literal["s", "ms", "us", "ns"]
_FINENESS: tuple[tuple[Fineness, int], ...] = (("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1))
MOST_BAD = 0.2
"""A column with a larger share of cells that are no numbers is text."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a column in one of three forms: text, numbers (NaN missing) or instants.

    `ns` counts nanoseconds since 1970 UTC, with NO_TIME where nothing was written.
    """

    text: NDArray[np.bytes_] | None = None
    numbers: NDArray[np.float64] | None = None
    ns: NDArray[np.int64] | None = None

    def as_text(self) -> NDArray[np.bytes_]:
        """Return every cell as text in UTF-8, whatever form it came in."""
        if self.text is not None:
            return self.text
        if self.numbers is not None:
            return text_of(self.numbers)
        assert self.ns is not None
        there = self.ns != NO_TIME
        fine: Fineness = next(u for u, size in _FINENESS if not (self.ns[there] % size).any())
        written = np.datetime_as_string(self.ns.view("datetime64[ns]"), unit=fine).astype(np.bytes_)
        return written if there.all() else np.where(there, written, b"").astype(np.bytes_)

    def __len__(self) -> int:
        return next(len(form) for form in (self.text, self.numbers, self.ns) if form is not None)


@dataclass(frozen=True)
class Column:
    """One column of the rows looked at.

    `place` is its number in the file, from 0; `numbers` is NaN where a cell is no number;
    `bad` counts cells that are neither a number nor missing; `switch` says that its words
    are on and off, which were read as 1 and 0.
    """

    place: int
    heading: str
    name: Name
    cells: Cells
    words: Sequence[str] = field(repr=False)
    numbers: NDArray[np.float64] = field(repr=False)
    bad: int = 0
    switch: bool = False

    @cached_property
    def finite(self) -> NDArray[np.float64]:
        """The numbers that are there, infinities left out."""
        return self.numbers[np.isfinite(self.numbers)]

    @cached_property
    def said(self) -> int:
        """How many cells say anything."""
        if self.cells.ns is not None:
            return int(np.count_nonzero(self.cells.ns != NO_TIME))
        return self.bad + int(np.count_nonzero(~np.isnan(self.numbers)))

    @cached_property
    def is_number(self) -> bool:
        """Whether this column can be read as numbers."""
        return self.cells.ns is None and len(self.finite) > 0 and self.bad <= MOST_BAD * self.said

    @cached_property
    def is_whole(self) -> bool:
        """Whether all its numbers are whole."""
        return self.is_number and bool((self.finite == np.floor(self.finite)).all())

    @cached_property
    def distinct(self) -> NDArray[np.float64]:
        """The different numbers in it, in order."""
        return np.unique(self.finite)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The different words in it, blanks around them taken off, missing ones left out."""
        return tuple(sorted({w.strip() for w in self.words} - {""}, key=str) if self.words else ())

    def text(self) -> NDArray[np.bytes_]:
        """Every cell as text."""
        return self.cells.as_text()


def look_at(place: int, heading: str, cells: Cells, marks: Marks) -> Column:
    """Read a column of the sample as numbers, as far as it has any."""
    heading, name = tidy_heading(heading), read_name(heading)
    if cells.numbers is not None:
        return Column(place, heading, name, cells, (), cells.numbers)
    words = [w.decode("utf-8", "replace") for w in cells.as_text().tolist()] if cells.ns is None else []
    if cells.ns is not None:
        return Column(place, heading, name, cells, words, np.full(len(cells), np.nan))
    switches = switches_of(words)
    if switches is not None:
        return Column(place, heading, name, cells, words, switches, switch=True)
    numbers, bad = numbers_of(words, marks)
    return Column(place, heading, name, cells, words, numbers, bad)


def text_of(numbers: NDArray[np.float64]) -> NDArray[np.bytes_]:
    """Write numbers as text, whole ones without a point, NaN as nothing."""
    there = np.isfinite(numbers)
    whole = bool((numbers[there] == np.floor(numbers[there])).all())
    if whole and bool((np.abs(numbers[there]) < 2**63).all()):
        written = np.where(there, numbers, 0).astype(np.int64).astype(np.bytes_)
    else:
        written = np.array([repr(v).encode() for v in numbers.tolist()], dtype=np.bytes_)
    return np.where(there, written, b"").astype(np.bytes_)


def is_missing(word: str) -> bool:
    """Whether a cell says that nothing was measured."""
    return word.strip().strip('"').casefold() in MISSING
