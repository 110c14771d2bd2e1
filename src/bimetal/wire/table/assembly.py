"""Assembly: a source's blocks become rows with time, device, values and label, and all is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.wire.table.column import Cells
from bimetal.wire.table.device import device_id
from bimetal.wire.table.label import labels_of
from bimetal.wire.table.order import fill_broken, find_leaps, mend_midnights, roll_days
from bimetal.wire.table.plan import Plan
from bimetal.wire.table.shape import Tally
from bimetal.wire.table.source import Block
from bimetal.wire.table.stretch import Stretch

GAP = 1.5
MOST_DEVICES = 100_000


@dataclass(slots=True)
class Counts:
    """The figures of a Tally while they grow."""

    rows: int = 0
    gaps: int = 0
    longest_gap_ns: int = 0
    repeated: int = 0
    backward: int = 0
    broken: int = 0
    missing: int = 0
    bad: int = 0
    infinite: int = 0
    coded: int = 0
    mended: int = 0
    late: int = 0
    first_ns: int | None = None
    last_ns: int = 0
    words: Counter[str] = field(default_factory=Counter[str])

    def tally(self, devices: int) -> Tally:
        """Return the figures as they stand."""
        return Tally(
            rows=self.rows,
            gaps=self.gaps,
            longest_gap_s=self.longest_gap_ns / 1e9,
            repeated=self.repeated,
            backward=self.backward,
            broken=self.broken,
            missing=self.missing,
            bad=self.bad,
            infinite=self.infinite,
            coded=self.coded,
            mended=self.mended,
            late=self.late,
            devices=devices,
            first_ns=self.first_ns or 0,
            last_ns=self.last_ns,
            label_words=tuple(self.words.items()),
        )


@dataclass(slots=True)
class Assembly:
    """Turns blocks into stretches of rows, remembering each device's last instant.

    `name` is the device of rows that name none; `row` the number of the next row.
    """

    plan: Plan
    name: str
    counts: Counts = field(default_factory=Counts)
    devices: dict[str, int] = field(default_factory=dict[str, int])
    last_ns: dict[int, int] = field(default_factory=dict[int, int])
    row: int = 0
    _known: dict[bytes, int] = field(default_factory=dict[bytes, int])
    _before: bytes = b""

    def follow(self, before: Assembly) -> Assembly:
        """Go on where another one stopped: with its counts, devices, instants and row numbers."""
        self.counts, self.devices, self.last_ns, self.row = (
            before.counts,
            before.devices,
            before.last_ns,
            before.row,
        )
        return self

    def gather(self, block: Block) -> Stretch:
        """Read a block's time, device, values and label; times are not yet put in order."""
        plan = self.plan
        by_place = {want.place: cells for want, cells in zip(plan.wants, block.cells, strict=True)}
        clock = [by_place[p] for p in plan.clock.reads]
        ns, ok = plan.clock.read(clock, self.row, block.rows)
        text = plan.clock.write(clock, self.row, block.rows)
        device = (
            self._device(self._named(by_place[plan.device].as_text(), ok))
            if plan.device >= 0
            else self._single(block.rows)
        )
        labels = (
            labels_of(by_place[plan.label].as_text(), minus=plan.label_minus, seen=self.counts.words)
            if plan.label >= 0
            else None
        )
        rows = np.arange(self.row, self.row + block.rows, dtype=np.int64)
        self.row += block.rows
        self.counts.bad += block.bad
        self.counts.mended += block.mended
        values = np.empty((block.rows, 0)) if plan.long else self.values(by_place, block.rows)
        return Stretch(ns, ok, device, values, rows, text, labels)

    def values(self, by_place: dict[int, Cells], rows: int) -> NDArray[np.float64]:
        """Return the signals' values, shape (rows, signals), and count what is missing."""
        channels = self.plan.channels
        values = np.full((rows, len(channels)), np.nan)
        for at, channel in enumerate(channels):
            numbers = by_place[channel.place].numbers if channel.place >= 0 else None
            if numbers is None:
                continue
            if channel.coded == channel.coded:
                coded = numbers == channel.coded
                self.counts.coded += int(np.count_nonzero(coded))
                numbers = np.where(coded, np.nan, numbers)
            values[:, at] = (
                numbers
                if channel.factor == 1 and not channel.offset
                else numbers * channel.factor + channel.offset
            )
        infinite = np.isinf(values)
        if infinite.any():
            self.counts.infinite += int(np.count_nonzero(infinite))
            values[infinite] = np.nan
        absent = sum(c.place < 0 for c in channels)
        self.counts.missing += int(np.count_nonzero(np.isnan(values))) - absent * rows
        return values

    def settle(self, stretch: Stretch) -> Stretch:
        """Put the times in order within each device, and count gaps, repeats and steps back."""
        self.counts.rows += len(stretch)
        if not len(stretch):
            return stretch
        ns, ok = stretch.ns.copy(), stretch.ok.copy()
        for code, rows in rows_of_devices(stretch.device):
            ns[rows], ok[rows] = self._settle_device(code, ns[rows], ok[rows])
        self.counts.broken += int(np.count_nonzero(~ok))
        first, last = int(ns.min()), int(ns.max())
        self.counts.first_ns = first if self.counts.first_ns is None else min(self.counts.first_ns, first)
        self.counts.last_ns = max(self.counts.last_ns, last)
        return Stretch(ns, ok, stretch.device, stretch.values, stretch.rows, stretch.text, stretch.labels)

    def _settle_device(
        self, code: int, ns: NDArray[np.int64], ok: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        last = self.last_ns.get(code)
        if self.plan.clock.kind == "row":
            unit_ns = self.plan.clock.unit_ns
            ns = np.arange(len(ns), dtype=np.int64) * unit_ns + (0 if last is None else last + unit_ns)
            self.last_ns[code] = int(ns[-1])
            return ns, ok
        return self._settle_timed(code, ns, ok, last)

    def _settle_timed(
        self, code: int, ns: NDArray[np.int64], ok: NDArray[np.bool_], last: int | None
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        ok = find_leaps(ns, ok, self.plan.period_ns, last)
        start = int(ns[ok][0]) if ok.any() else 0
        ns = fill_broken(ns, ok, start if last is None else last)
        if self.plan.clock.daily:
            ns = roll_days(ns, int(ns[0]) if last is None else last)
        else:
            ns = mend_midnights(ns, int(ns[0]) if last is None else last)
        held = np.maximum.accumulate(ns if last is None else np.maximum(ns, last))
        steps = np.diff(held, prepend=held[0] if last is None else last)
        self.counts.backward += int(np.count_nonzero(ns < held))
        fresh = ok if last is not None else ok & (np.arange(len(ns)) > 0)
        self.counts.repeated += int(np.count_nonzero((steps == 0) & (ns == held) & fresh))
        longest = int(steps.max())
        if self.plan.step_ns and longest > GAP * self.plan.step_ns:
            self.counts.gaps += int(np.count_nonzero(steps > GAP * self.plan.step_ns))
            self.counts.longest_gap_ns = max(self.counts.longest_gap_ns, longest)
        self.last_ns[code] = int(held[-1])
        return held, ok

    def _single(self, rows: int) -> NDArray[np.int32]:
        return np.full(rows, self.devices.setdefault(self.name, len(self.devices)), dtype=np.int32)

    def _named(self, cells: NDArray[np.bytes_], ok: NDArray[np.bool_]) -> NDArray[np.bytes_]:
        """Give rows with neither a device nor a time, which are no readings, to the device before them.

        Else a line that cannot be read would make a device of its own.
        """
        lost = ~ok & (np.strings.str_len(cells) == 0)
        if lost.any():
            there = np.maximum.accumulate(np.where(lost, -1, np.arange(len(cells))))
            first = self._before or cells[np.argmin(lost)]
            cells = np.where(there < 0, first, cells[there])
        self._before = bytes(cells[-1]) if len(cells) else self._before
        return cells

    def _device(self, cells: NDArray[np.bytes_]) -> NDArray[np.int32]:
        """Return each row's device as its number in `devices`, in the order they first came."""
        changes = np.flatnonzero(cells[1:] != cells[:-1]) + 1
        heads = np.concatenate([[0], changes])
        values, first, codes = np.unique(cells[heads], return_index=True, return_inverse=True)
        numbers = np.empty(len(values), dtype=np.int32)
        for at in np.argsort(first).tolist():
            numbers[at] = self._number(bytes(values[at]))
        return np.repeat(numbers[codes], np.diff(np.append(heads, len(cells))))

    def _number(self, cell: bytes) -> int:
        if cell not in self._known:
            if len(self._known) >= MOST_DEVICES:
                raise BadInput(
                    f"the column {self.plan.shape.device} names more than {MOST_DEVICES:,} devices",
                    where=self.plan.shape.where,
                    hint="Name the column that tells devices apart with --device",
                )
            name = device_id(cell.decode("utf-8", "replace").strip('" '))
            self._known[cell] = self.devices.setdefault(name, len(self.devices))
        return self._known[cell]


def rows_of_devices(device: NDArray[np.int32]) -> Sequence[tuple[int, NDArray[np.intp] | slice]]:
    """Return (device, its rows) for each device there is, rows in their order."""
    if not len(device) or bool((device == device[0]).all()):
        return [(int(device[0]), slice(None))] if len(device) else []
    order = np.argsort(device, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(device[order])) + 1)
    return [(int(device[rows[0]]), rows) for rows in parts]
