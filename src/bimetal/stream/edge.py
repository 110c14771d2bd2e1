"""Edge: where an alarm, a sensor fault or a drift begins and ends, so that each is said once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.explain.sentence import drift_sentence, span_text
from bimetal.nouns.event import Cause, Event, Kind

SETTLED = 32
"""So many readings after its last fault a sensor is taken for well; until then nothing is said of it anew."""


class Explain(Protocol):
    """Says why: the values, score, share and fault of the row at which something began.

    Shapes, for s signals: values, share, fault, lasting (s,); the last says for how many readings each signal
    has had a large part in the score. What comes back has the right reasons, cause
    and sentence; kind and alarm are set by the caller. A negative fault is what a signal only looks
    like. When a sensor's fault begins, share is 0
    and only what began is in `fault`.
    """

    def __call__(
        self,
        device: str,
        time_ns: int,
        values: NDArray[np.float64],
        score: float,
        share: NDArray[np.float32],
        fault: NDArray[np.int32],
        since_ns: int,
        lasting: NDArray[np.int32] | None = None,
    ) -> Event:
        """Return the event of a row."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """What is going on at a device.

    Since when it is in alarm (None: it is not) and from which cause; for how many readings, the last one
    among them, each sensor is taken for one at fault; since when there is trouble with sensors at all: a
    fault, or an alarm that comes from one; since when there is trouble with the way of running: a drift,
    or an alarm that comes from it; and whether there is a drift.
    """

    alarm_since_ns: int | None = None
    cause: Cause = Cause.PROCESS
    faulty: tuple[int, ...] = ()
    sensor_since_ns: int | None = None
    context_since_ns: int | None = None
    drift: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a program said about one device, row by row: n rows at which it said anything, s signals.

    `row` numbers the rows in the batch they came in. `looks` is the fault a signal looks like it has;
    `lasting` for how many readings its part in the score has been large;
    `drift` (n,) is 1 or 0, NaN at rows at which nothing was said of it.
    """

    device: str
    row: NDArray[np.intp]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    score: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    share: NDArray[np.float32]
    fault: NDArray[np.int32]
    looks: NDArray[np.int32] | None = None
    drift: NDArray[np.float64] | None = None
    lasting: NDArray[np.int32] | None = None


@dataclass(slots=True)
class _Walk:
    """One device's rows being gone through."""

    said: Said
    explain: Explain
    watch: Watch
    faulty: tuple[bool, ...]
    found: list[tuple[int, Event]] = field(default_factory=list[tuple[int, Event]])

    def change(self, at: int, faulty: tuple[bool, ...], alarm: bool, drift: bool) -> None:
        before = self.watch
        fresh = np.array(faulty, bool) & ~np.array(self.faulty, bool)
        self.faulty = faulty
        if fresh.any():
            event = self.explained(at, only=fresh)
            self.say(at, replace(event, kind=Kind.QUALITY, cause=Cause.SENSOR, alarm=alarm))
        if alarm and before.alarm_since_ns is None:
            event = replace(self.explained(at), kind=Kind.ALARM, alarm=True)
            self.watch = replace(self.watch, alarm_since_ns=event.time_ns, cause=event.cause)
            self.say(at, event)
        if drift and not before.drift:
            event = self.explained(at)
            words = drift_sentence(event.device, event.reasons)
            self.say(at, replace(event, kind=Kind.DRIFT, cause=Cause.CONTEXT, alarm=alarm, sentence=words))
        if not alarm and before.alarm_since_ns is not None:
            self.watch = replace(self.watch, alarm_since_ns=None, cause=Cause.PROCESS)
            if before.cause is Cause.PROCESS:
                self.over(at, before.cause, before.alarm_since_ns, "is back to normal")
        self.watch = replace(self.watch, drift=drift)
        self.trouble(at)

    def trouble(self, at: int) -> None:
        """Keep up since when there is trouble with sensors or the way of running, and say when it is over."""
        now, time_ns = self.watch, int(self.said.time_ns[at])
        sensor = any(self.faulty) or now.cause is Cause.SENSOR
        context = now.drift or now.cause is Cause.CONTEXT
        if not sensor and now.sensor_since_ns is not None:
            self.over(at, Cause.SENSOR, now.sensor_since_ns, "has all its sensors back")
        if not context and now.context_since_ns is not None:
            self.over(at, Cause.CONTEXT, now.context_since_ns, "is back to normal")
        self.watch = replace(
            now,
            sensor_since_ns=_since(sensor, now.sensor_since_ns, time_ns),
            context_since_ns=_since(context, now.context_since_ns, time_ns),
        )

    def explained(self, at: int, only: NDArray[np.bool_] | None = None) -> Event:
        """Explain a row; `only` these signals' faults, whatever the score says."""
        said, time_ns = self.said, int(self.said.time_ns[at])
        share, fault = said.share[at], said.fault[at]
        if only is not None:
            share, fault = np.zeros_like(share), np.where(only, fault, 0)
        elif said.looks is not None:
            doubt: NDArray[np.int32] = -said.looks[at]
            fault = np.where(fault != 0, fault, doubt).astype(np.int32)
        score = float(said.score[at])
        lasting = None if said.lasting is None else said.lasting[at]
        return self.explain(said.device, time_ns, said.values[at], score, share, fault, time_ns, lasting)

    def over(self, at: int, cause: Cause, since_ns: int, what: str) -> None:
        time_ns = int(self.said.time_ns[at])
        sentence = f"{self.said.device} {what} after {span_text((time_ns - since_ns) / 1e9)}."
        score, alarm = float(self.said.score[at]), bool(self.said.alarm[at])
        event = Event(Kind.CLEARED, self.said.device, time_ns, score, alarm, cause, (), sentence, since_ns)
        self.say(at, event)

    def say(self, at: int, event: Event) -> None:
        self.found.append((int(self.said.row[at]), event))


def edges(watch: Watch, said: Said, explain: Explain) -> tuple[Watch, list[tuple[int, Event]]]:
    """Return what is going on after these rows, and the events at them with their row numbers.

    An event of kind `alarm` when the alarm begins, `quality` when a sensor's fault begins, `drift` when
    what is usual has changed. `cleared` with cause `process` when an alarm of that cause ends; with cause
    `context` when neither a drift nor an alarm of that cause is on any more; and with cause `sensor` when no
    alarm comes from a sensor any more and every one has been well for SETTLED rows: a loose plug is one
    trouble, not one for each spike. Splitting the rows anywhere gives the same events.
    """
    signals = said.fault.shape[1]
    left = watch.faulty if len(watch.faulty) == signals else (0,) * signals
    faulty, left_after = _lasting(said.fault != 0, left)
    drift = _lately(said, watch.drift)
    walk = _Walk(said, explain, watch, tuple(k > 0 for k in left))
    for at in _changes(walk, said.alarm, drift, faulty):
        walk.change(at, tuple(faulty[at].tolist()), bool(said.alarm[at]), bool(drift[at]))
    return replace(walk.watch, faulty=left_after), walk.found


def _since(trouble: bool, since_ns: int | None, now_ns: int) -> int | None:
    if not trouble:
        return None
    return now_ns if since_ns is None else since_ns


def _lately(said: Said, before: bool) -> NDArray[np.bool_]:
    """Return at every row what was last said of a drift."""
    if said.drift is None:
        return np.full(len(said.alarm), before)
    known = np.concatenate([[float(before)], said.drift])
    last = np.maximum.accumulate(np.where(np.isnan(known), 0, np.arange(len(known))))
    return known[last[1:]] != 0


def _lasting(fault: NDArray[np.bool_], left: tuple[int, ...]) -> tuple[NDArray[np.bool_], tuple[int, ...]]:
    """Return where sensors (n, s) are taken for faulty, and for how many rows more from the last one on."""
    rows = np.arange(len(fault))[:, None]
    first = np.array(left, np.int64)[None] - SETTLED - 1
    latest = np.maximum.accumulate(np.concatenate([first, np.where(fault, rows, first)]), axis=0)
    left_after = np.maximum(0, latest[-1] + SETTLED + 1 - len(fault))
    return rows - latest[1:] < SETTLED, tuple(left_after.tolist())


def _changes(
    walk: _Walk, alarm: NDArray[np.bool_], drift: NDArray[np.bool_], faulty: NDArray[np.bool_]
) -> Iterator[int]:
    """Yield the rows at which anything differs from the row before."""
    if len(alarm):
        before = [walk.watch.alarm_since_ns is not None, walk.watch.drift, *walk.faulty]
        now = np.column_stack([alarm, drift, faulty])
        same = np.vstack([np.array(before, bool)[None], now[:-1]]) == now
        yield from np.flatnonzero(~same.all(axis=1)).tolist()
