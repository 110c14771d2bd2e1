"""Late: rows that come out of order are waited for a little, then put in order or handed back.

A row is let through when nothing before it can be expected any more: it follows the row let
through before it by about one period; or newer rows show that more than `wait_ns` went by; or more
than `most_rows` wait. A row older than one let through is late: it is kept, but not scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.signal import Signal
from bimetal.stream.feed import align

WAIT_NS = 2_000_000_000
MOST_ROWS = 64
AHEAD_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One device's rows that wait, in order of time, and the row let through last (None: none yet).

    `heard_ns` is when, by the receiver's clock, the device last sent anything.
    """

    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    last_ns: int | None = None
    last: NDArray[np.float64] | None = None
    heard_ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """What a batch became: who waits now, rows in order, rows that must not be scored.

    `repeated` counts rows left out because the very same row was let through just before, as after
    a message that was sent twice.
    """

    waiting: dict[str, Waiting]
    ready: Batch
    late: Batch
    repeated: int


@dataclass(frozen=True, slots=True)
class Reorder:
    """Puts rows in order of time with bounded patience and memory; it keeps nothing itself.

    `period_ns` is the usual time between rows, 0 when unknown. A row more than `ahead_ns` before
    the receiver's clock is handed back as late, for otherwise one wrong clock would mute a device.
    """

    signals: tuple[Signal, ...]
    wait_ns: int = WAIT_NS
    most_rows: int = MOST_ROWS
    period_ns: int = 0
    ahead_ns: int = AHEAD_NS

    def push(self, waiting: Mapping[str, Waiting], batch: Batch, now_ns: int) -> Sorted:
        """Take a batch in at `now_ns` and return what can go on, with this stream's signals.

        A signal that the batch lacks is missing (NaN); one that the stream lacks is left out.
        """
        after = dict(waiting)
        ready: list[Rows] = []
        late: list[Rows] = []
        repeated = 0
        values_of = align(batch, [s.name for s in self.signals])
        for index in np.unique(batch.device):
            device, rows = batch.devices[int(index)], batch.rows_of(int(index))
            queue = after.get(device) or Waiting(np.empty(0, np.int64), np.empty((0, len(self.signals))))
            time_ns, values = batch.time_ns[rows], values_of[rows]
            late_rows = time_ns > now_ns + self.ahead_ns
            if queue.last_ns is not None:
                late_rows |= time_ns < queue.last_ns
            late.append((device, time_ns[late_rows], values[late_rows]))
            merged = _merge(queue, time_ns[~late_rows], values[~late_rows], now_ns)
            merged, twice = _once(merged)
            repeated += twice
            after[device], let_through = self._release(merged)
            ready.append((device, *let_through))
        return Sorted(after, self._batch(ready), self._batch(late), repeated)

    def flush(self, waiting: Mapping[str, Waiting], now_ns: int | None = None) -> Sorted:
        """Let through what waits of devices that fell silent for `wait_ns`, or of all without a time."""
        after = dict(waiting)
        ready: list[Rows] = []
        for device, queue in waiting.items():
            if len(queue.time_ns) and (now_ns is None or queue.heard_ns <= now_ns - self.wait_ns):
                after[device], rows = _let_through(queue, len(queue.time_ns))
                ready.append((device, *rows))
        return Sorted(after, self._batch(ready), self._batch([]), 0)

    def _release(self, queue: Waiting) -> tuple[Waiting, tuple[NDArray[np.int64], NDArray[np.float64]]]:
        time_ns = queue.time_ns
        if not len(time_ns):
            return _let_through(queue, 0)
        goes = time_ns <= time_ns[-1] - self.wait_ns
        goes |= np.arange(len(time_ns)) < len(time_ns) - self.most_rows
        if self.period_ns:
            goes[1:] |= np.diff(time_ns) <= 1.5 * self.period_ns
            goes[0] |= queue.last_ns is not None and time_ns[0] - queue.last_ns <= 1.5 * self.period_ns
        return _let_through(queue, len(goes) if goes.all() else int(np.argmin(goes)))

    def _batch(self, parts: Sequence[Rows]) -> Batch:
        parts = [part for part in parts if len(part[1])]
        device = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part[1]) for part in parts])
        return Batch(
            tuple(part[0] for part in parts),
            self.signals,
            np.concatenate([np.empty(0, np.int64), *(part[1] for part in parts)]),
            device,
            np.concatenate([np.empty((0, len(self.signals))), *(part[2] for part in parts)]),
        )


Rows = tuple[str, NDArray[np.int64], NDArray[np.float64]]


def _merge(queue: Waiting, time_ns: NDArray[np.int64], values: NDArray[np.float64], heard_ns: int) -> Waiting:
    times, rows = np.concatenate([queue.time_ns, time_ns]), np.concatenate([queue.values, values])
    order = np.argsort(times, kind="stable")
    return Waiting(times[order], rows[order], queue.last_ns, queue.last, heard_ns)


def _once(queue: Waiting) -> tuple[Waiting, int]:
    """Leave out rows that equal the row before them in time and every bit of every value."""
    times, rows = queue.time_ns, queue.values
    if queue.last_ns is not None and queue.last is not None:
        times, rows = np.concatenate([[queue.last_ns], times]), np.concatenate([queue.last[None], rows])
    bits = np.ascontiguousarray(rows).view(np.int64)
    same = np.zeros(len(times), bool)
    same[1:] = (np.diff(times) == 0) & (bits[1:] == bits[:-1]).all(axis=1)
    stay = ~same[len(times) - len(queue.time_ns) :]
    kept = Waiting(queue.time_ns[stay], queue.values[stay], queue.last_ns, queue.last, queue.heard_ns)
    return kept, int((~stay).sum())


def _let_through(queue: Waiting, rows: int) -> tuple[Waiting, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    if not rows:
        return queue, (queue.time_ns[:0], queue.values[:0])
    last = queue.values[rows - 1].copy()
    left = Waiting(
        queue.time_ns[rows:].copy(),
        queue.values[rows:].copy(),
        int(queue.time_ns[rows - 1]),
        last,
        queue.heard_ns,
    )
    return left, (queue.time_ns[:rows], queue.values[:rows])
