"""Table: a stranger's data, understood, and read as batches as often as needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.table.assembly import Assembly
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.order import fill_broken
from bimetal.wire.table.pivot import Pivot
from bimetal.wire.table.plan import Plan, make_plan
from bimetal.wire.table.shape import TableShape, Tally
from bimetal.wire.table.source import Source
from bimetal.wire.table.stretch import Stretch, TableBatch, joined

ROWS_PER_BATCH = 8192
MOST_SORTED_BYTES = 256 << 20

Progress: TypeAlias = Callable[[int, int], None]
"""Told (bytes done, bytes in all) while a table is read; 0 in all when that is not known."""


class Table:
    """A table that was looked at; `shape` says what was found, `tally` what was met in reading it.

    Raises BadInput when it holds nothing to learn from, in one sentence.
    """

    def __init__(
        self, source: Source, name: str, hints: Hints, expect: Sequence[Signal] | None = None
    ) -> None:
        look = source.look()
        self._source = source
        self._name = name
        self._bytes_total = look.bytes_total
        self._plan = make_plan(look, hints, source.where, expect=expect)
        self._assembly = Assembly(self._plan, name)

    @property
    def shape(self) -> TableShape:
        """What was found out before reading."""
        return self._plan.shape

    @property
    def plan(self) -> Plan:
        """How it is read."""
        return self._plan

    @property
    def name(self) -> str:
        """The device of rows that name none."""
        return self._name

    @property
    def bytes_total(self) -> int:
        """How many bytes there are to read."""
        return self._bytes_total

    @property
    def tally(self) -> Tally:
        """What was met in the latest reading, complete once `batches` is exhausted."""
        return self._assembly.counts.tally(len(self._assembly.devices))

    def batches(
        self, rows_per_batch: int = ROWS_PER_BATCH, progress: Progress | None = None
    ) -> Iterator[TableBatch]:
        """Read the table from its start, in batches of at most so many rows.

        Every row of the file gives exactly one row, in the order of the file, unless the shape's
        notes say that rows are put in order of time, or that they are put together.
        Raises BadInput when the file ends early or cannot be read on.
        """
        yield from self.continued(Assembly(self._plan, self._name), rows_per_batch, progress)

    def continued(
        self, assembly: Assembly, rows_per_batch: int = ROWS_PER_BATCH, progress: Progress | None = None
    ) -> Iterator[TableBatch]:
        """Read the table with an assembly that may follow that of another table."""
        self._assembly = assembly
        signals = self.shape.signals
        held: list[Stretch] = []
        count = 0
        for stretch in self._ordered(assembly, progress):
            held.append(assembly.settle(stretch))
            count += len(stretch)
            while count >= rows_per_batch:
                whole = joined(held)
                yield whole.take(slice(0, rows_per_batch)).batch(tuple(assembly.devices), signals)
                held, count = [whole.take(slice(rows_per_batch, None))], count - rows_per_batch
        if count:
            yield joined(held).batch(tuple(assembly.devices), signals)

    def survey(self, progress: Progress | None = None) -> Tally:
        """Read the whole table once, only to count; return what was met."""
        for _ in self.batches(progress=progress):
            pass
        return self.tally

    def _ordered(self, assembly: Assembly, progress: Progress | None) -> Iterator[Stretch]:
        if not self._plan.sorts:
            yield from self._stretches(assembly, progress)
            return
        self._check_sortable(self._plan)
        whole = [s for s in self._stretches(assembly, progress) if len(s)]
        if not whole:
            return
        rows = joined(whole)
        filled = fill_broken(rows.ns, rows.ok, int(rows.ns[rows.ok].min()) if rows.ok.any() else 0)
        yield rows.take(np.argsort(filled, kind="stable"))

    def _stretches(self, assembly: Assembly, progress: Progress | None) -> Iterator[Stretch]:
        pivot = Pivot(assembly) if self._plan.long else None
        for block in self._source.blocks(self._plan.wants):
            if pivot:
                yield from pivot.push(block)
            else:
                yield assembly.gather(block)
            if progress:
                progress(block.bytes_done, self._bytes_total)
        if pivot:
            yield from pivot.finish()
        if progress:
            progress(self._bytes_total, self._bytes_total)

    def _check_sortable(self, plan: Plan) -> None:
        need = plan.shape.rows_guess * (8 * len(plan.channels) + 96)
        if need > MOST_SORTED_BYTES:
            raise BadInput(
                f"its {plan.shape.rows_guess:,} rows run back and forth in time, and are too many to sort",
                where=plan.shape.where,
                hint="Sort the file by its time column first",
            )
