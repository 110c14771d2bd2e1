"""Pivot: readings one to a row become rows with a column for each signal, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.assembly import Assembly
from bimetal.wire.table.column import Cells
from bimetal.wire.table.source import Block
from bimetal.wire.table.stretch import Stretch, joined

LATENESS_PERIODS = 3
MOST_OPEN = 2_000_000


@dataclass(slots=True)
class Pivot:
    """Collects readings until no more can come for their instant, then makes rows of them.

    Readings of one device and instant share a row, which has the number and the text of the
    first of them; of several readings of one signal the last counts.
    """

    assembly: Assembly
    _open: list[tuple[Stretch, NDArray[np.int64]]] = field(
        default_factory=list[tuple[Stretch, NDArray[np.int64]]]
    )
    _done_ns: int | None = None
    _codes: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def push(self, block: Block) -> Iterator[Stretch]:
        """Take a block of readings; yield the rows that are complete."""
        plan = self.assembly.plan
        assert plan.long is not None
        stretch = self.assembly.gather(block)
        by_place = {want.place: cells for want, cells in zip(plan.wants, block.cells, strict=True)}
        signal = self._signals(by_place[plan.long.name_place].as_text())
        value = self._values(by_place[plan.long.value_place])
        keep = np.flatnonzero(stretch.ok & (signal >= 0))
        self._take(stretch, signal, value, keep)
        if plan.sorts or not self._open:
            return
        newest = max(int(s.ns.max()) for s, _ in self._open)
        crowded = sum(len(s) for s, _ in self._open) > MOST_OPEN
        yield from self._emit(newest if crowded else newest - LATENESS_PERIODS * max(plan.period_ns, 1))

    def finish(self) -> Iterator[Stretch]:
        """Yield the rows that are still open, at the end of the table."""
        yield from self._emit(None)

    def _take(
        self, stretch: Stretch, signal: NDArray[np.int64], value: NDArray[np.float64], keep: NDArray[np.intp]
    ) -> None:
        part = stretch.take(keep)
        part = Stretch(part.ns, part.ok, part.device, value[keep, None], part.rows, part.text, part.labels)
        signal = signal[keep]
        if self._done_ns is not None:
            on_time = np.flatnonzero(part.ns > self._done_ns)
            self.assembly.counts.late += len(part) - len(on_time)
            part, signal = part.take(on_time), signal[on_time]
        if len(part):
            self._open.append((part, signal))

    def _emit(self, until_ns: int | None) -> Iterator[Stretch]:
        if not self._open:
            return
        whole = joined(s for s, _ in self._open)
        signal = np.concatenate([code for _, code in self._open])
        last = int(whole.ns.max()) if until_ns is None else until_ns
        done = whole.ns <= last
        rest, ready = np.flatnonzero(~done), np.flatnonzero(done)
        self._open = [(whole.take(rest), signal[rest])] if len(rest) else []
        if len(ready):
            self._done_ns = last
            yield self._rows(whole.take(ready), signal[ready])

    def _rows(self, whole: Stretch, signal: NDArray[np.int64]) -> Stretch:
        """Put readings of one device and instant into one row."""
        order = np.lexsort((whole.rows, whole.device, whole.ns))
        whole, signal = whole.take(order), signal[order]
        first = np.ones(len(whole), dtype=np.bool_)
        first[1:] = (np.diff(whole.ns) != 0) | (np.diff(whole.device) != 0)
        row = np.cumsum(first) - 1
        values = np.full((int(row[-1]) + 1, len(self.assembly.plan.channels)), np.nan)
        values[row, signal] = whole.values[:, 0]
        heads = whole.take(np.flatnonzero(first))
        labels = None if whole.labels is None else np.logical_or.reduceat(whole.labels, np.flatnonzero(first))
        self.assembly.counts.missing += int(np.count_nonzero(np.isnan(values)))
        return Stretch(heads.ns, heads.ok, heads.device, values, heads.rows, heads.text, labels)

    def _signals(self, cells: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """Return each reading's signal as its column among the channels, -1 for one that is none."""
        plan = self.assembly.plan
        assert plan.long is not None
        if not self._codes:
            column = {c.place: at for at, c in enumerate(plan.channels) if c.place >= 0}
            self._codes = {n.encode(): column.get(at, -1) for at, n in enumerate(plan.long.names)}
        values, codes = np.unique(cells, return_inverse=True)
        return np.array([self._codes.get(bytes(v).strip(), -1) for v in values], dtype=np.int64)[codes]

    def _values(self, cells: Cells) -> NDArray[np.float64]:
        assert cells.numbers is not None
        infinite = np.isinf(cells.numbers)
        self.assembly.counts.infinite += int(np.count_nonzero(infinite))
        return np.where(infinite, np.nan, cells.numbers)
