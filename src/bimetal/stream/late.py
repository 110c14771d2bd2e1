"""Late: rows that come out of order are waited for a little, then put in order or handed back.

A row is let through when nothing before it can be expected any more: it follows the row let
through before it by about one period; or newer rows show that more than `wait_ns` went by; or more
than `most_rows` wait; or its device was silent for `wait_ns`. A row older than one let through is
late: it is kept, but not scored. What waits of a silent device is let through before anything that
comes after its silence, so that it makes no difference when, or whether, somebody looked meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.signal import Signal
from bimetal.stream.feed import align
from bimetal.stream.step import UNKNOWN_NS, Lots, in_step, lots_of

WAIT_NS = 2_000_000_000
MOST_ROWS = 64
AHEAD_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One device's rows that wait, in order of time, and what was let through last (None: none yet).

    `last` are the rows let through of the instant `last_ns`, (k, s), so that none of them counts
    twice. `heard_ns` is when, by the receiver's clock, the device last sent anything.
    """

    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    last_ns: int | None = None
    last: NDArray[np.float64] | None = None
    heard_ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """What a batch became: rows in order, rows that must not be scored, and what changed about who waits.

    Devices that `waiting` does not name wait as they did. `repeated` counts rows left out because the
    very same row came before, as after a message that was sent twice.
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

    def push(
        self, waiting: Mapping[str, Waiting], batch: Batch, now_ns: int, *, all_talk: bool = False
    ) -> Sorted:
        """Take a batch in at `now_ns` and return what can go on, with this stream's signals.

        A signal that the batch lacks is missing (NaN); one that the stream lacks is left out. Who
        knows that nobody has been silent (see `due_ns`) says so with `all_talk`, which saves a look.
        """
        after, ready = ({}, {}) if all_talk else self._silent(waiting, now_ns)
        late: list[Rows] = []
        repeated = 0
        values_of = align(batch, [s.name for s in self.signals])
        lots = lots_of(batch, values_of)
        easy = in_step(
            lots,
            [_known_ns(after.get(d) or waiting.get(d)) for d in lots.devices],
            self._gap_ns,
            now_ns + self.ahead_ns,
        )
        if easy.all() and not ready:
            return self._all_in_step(lots, now_ns)
        none = self._none
        spans = zip(lots.devices, lots.start.tolist(), lots.end.tolist(), strict=True)
        for k, (device, start, end) in enumerate(spans):
            time_ns, values = lots.time_ns[start:end], lots.values[start:end]
            if easy[k]:
                after[device] = _gone_on(none, int(time_ns[-1]), values[-1:], now_ns)
                _add(ready, device, (time_ns, values))
                continue
            queue = after.get(device) or waiting.get(device) or Waiting(*none)
            late_rows = time_ns > now_ns + self.ahead_ns
            if queue.last_ns is not None:
                late_rows |= time_ns < queue.last_ns
            late.append((device, time_ns[late_rows], values[late_rows]))
            merged = _merge(queue, time_ns[~late_rows], values[~late_rows], now_ns)
            merged, twice = _once(merged)
            repeated += twice
            after[device], goes = self._release(merged)
            _add(ready, device, goes)
        return Sorted(after, self._batch(_named(ready)), self._batch(late), repeated)

    def flush(self, waiting: Mapping[str, Waiting], now_ns: int | None = None) -> Sorted:
        """Let through what waits of devices that fell silent for `wait_ns`, or of all without a time."""
        after, ready = self._silent(waiting, now_ns)
        return Sorted(after, self._batch(_named(ready)), self._batch([]), 0)

    def due_ns(self, waiting: Mapping[str, Waiting]) -> int | None:
        """Return when a device that has rows waiting will have been silent for too long; None: never."""
        heard = [queue.heard_ns for queue in waiting.values() if len(queue.time_ns)]
        return min(heard) + self.wait_ns if heard else None

    def _all_in_step(self, lots: Lots, now_ns: int) -> Sorted:
        """Let all rows through at once, as nearly always can be done."""
        none, last = self._none, lots.end - 1
        rows = zip(lots.devices, lots.time_ns[last].tolist(), last.tolist(), strict=True)
        after = {d: _gone_on(none, ns, lots.values[at : at + 1], now_ns) for d, ns, at in rows}
        device = np.repeat(np.arange(len(last), dtype=np.int32), lots.end - lots.start)
        ready = Batch(lots.devices, self.signals, lots.time_ns, device, lots.values)
        return Sorted(after, ready, self._batch([]), 0)

    @property
    def _none(self) -> _Let:
        return np.empty(0, np.int64), np.empty((0, len(self.signals)))

    def _silent(
        self, waiting: Mapping[str, Waiting], now_ns: int | None
    ) -> tuple[dict[str, Waiting], dict[str, _Let]]:
        """Let through what waits of silent devices; return how they wait now, and what was let through."""
        after, ready = dict[str, Waiting](), dict[str, _Let]()
        for device, queue in waiting.items():
            if len(queue.time_ns) and (now_ns is None or queue.heard_ns <= now_ns - self.wait_ns):
                after[device], ready[device] = _let_through(queue, len(queue.time_ns))
        return after, ready

    @property
    def _gap_ns(self) -> float:
        """A row that follows another by no more than this follows it at once; 0: nobody knows."""
        return 1.5 * self.period_ns

    def _release(self, queue: Waiting) -> tuple[Waiting, _Let]:
        time_ns = queue.time_ns
        if not len(time_ns):
            return _let_through(queue, 0)
        goes = time_ns <= time_ns[-1] - self.wait_ns
        goes |= np.arange(len(time_ns)) < len(time_ns) - self.most_rows
        if self.period_ns:
            goes[1:] |= np.diff(time_ns) <= self._gap_ns
            goes[0] |= queue.last_ns is not None and time_ns[0] - queue.last_ns <= self._gap_ns
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
_Let = tuple[NDArray[np.int64], NDArray[np.float64]]


def _known_ns(queue: Waiting | None) -> int:
    """Return the instant after which a device's next row is expected, where nothing waits."""
    return UNKNOWN_NS if queue is None or len(queue.time_ns) or queue.last_ns is None else queue.last_ns


def _gone_on(none: _Let, last_ns: int, last: NDArray[np.float64], heard_ns: int) -> Waiting:
    """Return how a device waits whose rows all went on; `last` (1, s) is the last of them."""
    # Copied, for a view would keep the whole batch in memory for as long as the device is silent.
    return Waiting(*none, last_ns, last.copy(), heard_ns)


def _add(ready: dict[str, _Let], device: str, goes: _Let) -> None:
    if device in ready:
        goes = np.concatenate([ready[device][0], goes[0]]), np.concatenate([ready[device][1], goes[1]])
    ready[device] = goes


def _named(ready: Mapping[str, _Let]) -> list[Rows]:
    return [(device, *rows) for device, rows in ready.items()]


def _merge(queue: Waiting, time_ns: NDArray[np.int64], values: NDArray[np.float64], heard_ns: int) -> Waiting:
    times, rows = np.concatenate([queue.time_ns, time_ns]), np.concatenate([queue.values, values])
    order = np.argsort(times, kind="stable")
    return Waiting(times[order], rows[order], queue.last_ns, queue.last, heard_ns)


def _once(queue: Waiting) -> tuple[Waiting, int]:
    """Leave out rows that equal an earlier one in time and every bit of every value."""
    times, rows, known = queue.time_ns, queue.values, 0
    if queue.last_ns is not None and queue.last is not None:
        known = len(queue.last)
        times = np.concatenate([np.full(known, queue.last_ns, np.int64), times])
        rows = np.concatenate([queue.last, rows])
    if not (np.diff(times) == 0).any():
        return queue, 0
    bits = np.ascontiguousarray(rows).view(np.int64)
    _, first = np.unique(np.column_stack([times, bits]), axis=0, return_index=True)
    stay = np.zeros(len(times), bool)
    stay[first] = True
    stay = stay[known:]
    kept = Waiting(queue.time_ns[stay], queue.values[stay], queue.last_ns, queue.last, queue.heard_ns)
    return kept, int((~stay).sum())


def _let_through(queue: Waiting, rows: int) -> tuple[Waiting, _Let]:
    if not rows:
        return queue, (queue.time_ns[:0], queue.values[:0])
    last_ns = int(queue.time_ns[rows - 1])
    last = queue.values[:rows][queue.time_ns[:rows] == last_ns]
    if queue.last is not None and queue.last_ns == last_ns:
        last = np.concatenate([queue.last, last])
    left = Waiting(
        queue.time_ns[rows:].copy(),
        queue.values[rows:].copy(),
        last_ns,
        last[-MOST_ROWS:].copy(),
        queue.heard_ns,
    )
    return left, (queue.time_ns[:rows], queue.values[:rows])
