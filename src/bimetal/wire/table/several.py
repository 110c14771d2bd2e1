"""Several: tables with the same signals, read one after the other as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bimetal.wire.table.assembly import Assembly
from bimetal.wire.table.label_word import check_words
from bimetal.wire.table.shape import TableShape, Tally
from bimetal.wire.table.stretch import TableBatch
from bimetal.wire.table.table import ROWS_PER_BATCH, Progress, Table


class Tables:
    """Tables with the same signals; each is a device of its own name, unless it has a column for it.

    It offers what a Table does: row numbers run on from table to table, and so do the instants
    of a device that is in several of them.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        by_time = any(t.shape.device for t in tables)
        self._tables = sorted(tables, key=lambda t: t.plan.first_ns) if by_time else list(tables)
        self._tally = Tally()

    @property
    def shape(self) -> TableShape:
        """What was found out before reading: of the first table, with the figures and notes of all."""
        shapes = [t.shape for t in self._tables]
        if len(shapes) == 1:
            return shapes[0]
        notes = [f"{s.where}: {note}" for s in shapes for note in s.notes]
        return replace(
            shapes[0],
            where=f"{shapes[0].where} and {len(shapes) - 1} more",
            device=shapes[0].device or "the file's name",
            rows_looked_at=sum(s.rows_looked_at for s in shapes),
            rows_guess=sum(s.rows_guess for s in shapes),
            whole=all(s.whole for s in shapes),
            notes=tuple(notes),
        )

    @property
    def tally(self) -> Tally:
        """What was met in the latest reading, complete once `batches` is exhausted."""
        return self._tally

    def batches(
        self, rows_per_batch: int = ROWS_PER_BATCH, progress: Progress | None = None
    ) -> Iterator[TableBatch]:
        """Read all tables from their start, as Table.batches does."""
        total, before = sum(t.bytes_total for t in self._tables), 0
        last: Assembly | None = None
        for table in self._tables:
            assembly = Assembly(table.plan, table.name)
            last = assembly.follow(last) if last else assembly
            for batch in table.continued(last, rows_per_batch, _shifted(progress, before, total)):
                self._tally = table.tally
                yield batch
            self._tally = table.tally
            before += table.bytes_total

    def label_notes(self) -> list[str]:
        """Return how the words of the label were taken, complete once `batches` is exhausted.

        Raises BadInput when they cannot be told apart, or one looks like a slip.
        """
        label = self.shape.label
        return check_words(dict(self.tally.label_words), label, self.shape.where) if label else []

    def survey(self, progress: Progress | None = None) -> Tally:
        """Read everything once, only to count; return what was met."""
        for _ in self.batches(progress=progress):
            pass
        return self.tally


def _shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    return (lambda done, _: progress(before + done, total)) if progress else None
