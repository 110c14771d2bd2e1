"""Source: where a table comes from, whatever its format; each file format is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from bimetal.wire.table.cell import Marks
from bimetal.wire.table.column import Cells

Form: TypeAlias = Literal["number", "switch", "text"]


@dataclass(frozen=True, slots=True)
class Want:
    """A column to be read, by its place in the file, and in which form."""

    place: int
    form: Form


@dataclass(frozen=True, slots=True)
class Block:
    """Rows in the order of the file; `cells` has one entry for each column wanted.

    `bad` counts cells that were neither a number nor missing; `mended` counts rows that had
    too many or too few cells; `bytes_done` says how far into the file this is.
    """

    rows: int
    cells: tuple[Cells, ...]
    bad: int = 0
    mended: int = 0
    bytes_done: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a source shows: how it is written, its headings, and a sample of its rows.

    `sample` has the cells of each column; `starts` are the rows of the sample at which it
    jumps ahead in the file; `whole` says that the sample is the entire file; `rows_guess`
    estimates the rows of the file. `units` are those of a row of units, by heading.
    """

    format: str
    headings: tuple[str, ...]
    sample: tuple[Cells, ...]
    starts: tuple[int, ...]
    whole: bool
    bytes_total: int
    rows_guess: int
    header: bool = True
    encoding: str = ""
    separator: str = ""
    marks: Marks = field(default_factory=Marks)
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """A table that can be looked at once and then read in blocks, as often as needed."""

    where: str
    """What to call it in a message: the path, or standard input."""

    def look(self) -> Look:
        """Return what the table looks like. Raises BadInput when it is none."""
        ...

    def blocks(self, wants: Sequence[Want]) -> Iterator[Block]:
        """Read the whole table, the wanted columns only, in blocks of bounded size."""
        ...
