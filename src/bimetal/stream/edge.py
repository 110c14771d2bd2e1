"""Edge: where an alarm or a sensor fault begins and ends, so that each is said once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.explain.sentence import span_text
from bimetal.nouns.event import Cause, Event, Kind


class Explain(Protocol):
    """Says why: the values, score, share and fault of the row at which something began.

    Shapes, for s signals: values, share, fault (s,). What comes back has the right reasons, cause
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
    ) -> Event:
        """Return the event of a row."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """What is going on at a device.

    Since when it is in alarm (None: it is not) and from which cause, which sensors are at fault,
    and since when there is trouble with sensors at all: a fault, or an alarm that comes from one.
    """

    alarm_since_ns: int | None = None
    cause: Cause = Cause.PROCESS
    faulty: tuple[bool, ...] = ()
    sensor_since_ns: int | None = None

    @property
    def quiet(self) -> bool:
        """Say whether nothing is going on, so that rows without alarm and fault change nothing."""
        return self.alarm_since_ns is None and self.sensor_since_ns is None and not any(self.faulty)


@dataclass(frozen=True, slots=True)
class Said:
    """What a program said about one device, row by row: n rows at which it said anything, s signals.

    `row` numbers the rows in the batch they came in. `looks` is the fault a signal looks like it has.
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


@dataclass(slots=True)
class _Walk:
    """One device's rows being gone through."""

    said: Said
    explain: Explain
    watch: Watch
    found: list[tuple[int, Event]] = field(default_factory=list[tuple[int, Event]])

    def change(self, at: int, faulty: tuple[bool, ...], alarm: bool) -> None:
        before = self.watch
        self.watch = replace(before, faulty=faulty)
        fresh = np.array(faulty, bool) & ~np.array(before.faulty, bool)
        if fresh.any():
            event = self.explained(at, only=fresh)
            self.say(at, replace(event, kind=Kind.QUALITY, cause=Cause.SENSOR, alarm=alarm))
        if alarm and before.alarm_since_ns is None:
            event = replace(self.explained(at), kind=Kind.ALARM, alarm=True)
            self.watch = replace(self.watch, alarm_since_ns=event.time_ns, cause=event.cause)
            self.say(at, event)
        if not alarm and before.alarm_since_ns is not None:
            self.watch = replace(self.watch, alarm_since_ns=None, cause=Cause.PROCESS)
            if before.cause is not Cause.SENSOR:
                self.over(at, before.cause, before.alarm_since_ns, "is back to normal")
        self.sensor_trouble(at)

    def sensor_trouble(self, at: int) -> None:
        since = self.watch.sensor_since_ns
        trouble = any(self.watch.faulty) or self.watch.cause is Cause.SENSOR
        if trouble and since is None:
            self.watch = replace(self.watch, sensor_since_ns=int(self.said.time_ns[at]))
        if not trouble and since is not None:
            self.watch = replace(self.watch, sensor_since_ns=None)
            self.over(at, Cause.SENSOR, since, "has all its sensors back")

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
        return self.explain(said.device, time_ns, said.values[at], score, share, fault, time_ns)

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

    An event of kind `alarm` when the alarm begins, `quality` when a sensor's fault begins; `cleared`
    with cause `process` or `context` when an alarm of that cause ends, and with cause `sensor` when no
    sensor is at fault and no alarm comes from one any more. Splitting the rows anywhere gives the same
    events.
    """
    signals = said.fault.shape[1]
    if len(watch.faulty) != signals:
        watch = replace(watch, faulty=(False,) * signals)
    walk = _Walk(said, explain, watch)
    faulty = said.fault != 0
    for at in _changes(watch, said.alarm, faulty):
        walk.change(at, tuple(faulty[at].tolist()), bool(said.alarm[at]))
    return walk.watch, walk.found


def _changes(watch: Watch, alarm: NDArray[np.bool_], faulty: NDArray[np.bool_]) -> Iterator[int]:
    """Yield the rows at which anything differs from the row before."""
    if len(alarm):
        before = [watch.alarm_since_ns is not None, *watch.faulty]
        now = np.column_stack([alarm, faulty])
        same = np.vstack([np.array(before, bool)[None], now[:-1]]) == now
        yield from np.flatnonzero(~same.all(axis=1)).tolist()
