"""Alarm: an event with a life, grouped so that one trouble is one alarm.

event alarm/quality ─> open ──see──> seen ──┐
                        │ └──snooze─> snoozed ──time is up──> open
                        └───── event cleared, or close ─────> closed ──again soon──> open
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bimetal.nouns.errors import BadInput, NotFound
from bimetal.nouns.event import Cause, Event, Kind

REGROUP_NS = 600_000_000_000
MOST_ALARMS = 10_000
WEEK_NS = 7 * 86_400_000_000_000


class Life(StrEnum):
    """Where an alarm is in its life."""

    OPEN = "open"
    SEEN = "seen"
    SNOOZED = "snoozed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One trouble of one device: the event that says most about it, how often it came, and its life.

    `repeats` counts how often it began; `told` how often somebody was told of it; `until_ns` is
    when a snoozed one comes back; `who` saw, snoozed or closed it last (empty: nobody); `cleared` is
    the event that ended it, while nobody was told yet.
    """

    id: int
    event: Event
    opened_ns: int
    last_ns: int
    life: Life = Life.OPEN
    repeats: int = 1
    told: int = 0
    who: str = ""
    until_ns: int | None = None
    closed_ns: int | None = None
    cleared: Event | None = None

    @property
    def key(self) -> tuple[str, Kind, Cause]:
        """What makes it the same trouble: device, kind and cause."""
        return (self.event.device, self.event.kind, self.event.cause)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell people: an event, and the alarm it belongs to."""

    event: Event
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Load:
    """How many alarms people were told of in a span of time, against what was promised.

    `ratio` is told to promised; infinite when nothing was promised and something was told.
    """

    told: int
    promised: float
    ratio: float


class Alarms:
    """The alarms there are, by the rules above; the clock is an argument and nothing is sent from here.

    What begins again within `regroup_ns` of its end is the same alarm and nobody is told again; so
    an end is told only when that time has passed. At most `most` alarms are kept: closed ones are
    forgotten first, then the oldest.
    """

    def __init__(
        self, alarms: Iterable[Alarm] = (), *, regroup_ns: int = REGROUP_NS, most: int = MOST_ALARMS
    ) -> None:
        self._regroup_ns = regroup_ns
        self._most = most
        self._by_id = {a.id: a for a in alarms}
        self._latest = {a.key: a.id for a in sorted(self._by_id.values(), key=lambda a: a.opened_ns)}
        self._next = max(self._by_id, default=0) + 1

    def all(self) -> tuple[Alarm, ...]:
        """Return every alarm, the oldest first."""
        return tuple(self._by_id.values())

    def find(self, number: int) -> Alarm:
        """Return the alarm of that number; raises NotFound."""
        if number not in self._by_id:
            raise NotFound(f"no alarm has the number {number}", hint="List the alarms there are")
        return self._by_id[number]

    def take(self, event: Event) -> tuple[Notice, ...]:
        """Take an event in; returns what people should be told, often nothing."""
        if event.kind is Kind.CLEARED:
            self._clear(event)
            return ()
        known = self._by_id.get(self._latest.get((event.device, event.kind, event.cause), 0))
        if known is None or self._is_over(known, event.time_ns):
            return self._tell(self._add(event), event)
        again = replace(
            known,
            event=event if event.score >= known.event.score or known.life is Life.CLOSED else known.event,
            repeats=known.repeats + 1,
            last_ns=max(known.last_ns, event.time_ns),
            life=Life.OPEN if known.life is Life.CLOSED else known.life,
            closed_ns=None,
            cleared=None,
        )
        self._by_id[known.id] = again
        return ()

    def see(self, number: int, who: str) -> Alarm:
        """Note that somebody saw an open or snoozed alarm; raises NotFound, or BadInput when it is closed."""
        return self._move(number, life=Life.SEEN, who=who, until_ns=None)

    def snooze(self, number: int, until_ns: int, now_ns: int, who: str) -> Alarm:
        """Leave people in peace until a time; raises as `see` does, and BadInput for a past time."""
        if until_ns <= now_ns:
            raise BadInput("an alarm can only be snoozed until a later time", hint="Give a time to come")
        return self._move(number, life=Life.SNOOZED, who=who, until_ns=until_ns)

    def close(self, number: int, now_ns: int, who: str) -> Alarm:
        """Close an alarm by hand; raises NotFound, or BadInput when it is closed already."""
        return self._move(number, life=Life.CLOSED, who=who, until_ns=None, closed_ns=now_ns)

    def wake(self, now_ns: int) -> tuple[Notice, ...]:
        """Let time pass: returns what was snoozed until now, open again, and what ended for good."""
        notices: list[Notice] = []
        for a in self.all():
            if a.until_ns is not None and a.until_ns <= now_ns:
                notices += self._tell(replace(a, life=Life.OPEN, until_ns=None), a.event)
            elif a.cleared is not None and self._is_over(a, now_ns):
                self._by_id[a.id] = replace(a, cleared=None)
                notices.append(Notice(a.cleared, self._by_id[a.id]))
        return tuple(notices)

    def load(self, devices: int, since_ns: int, until_ns: int, per_device_week: float) -> Load:
        """Compare the alarms opened in a span of time with what was promised for so many devices."""
        told = sum(
            since_ns <= a.opened_ns < until_ns and a.event.kind is Kind.ALARM for a in self._by_id.values()
        )
        promised = devices * per_device_week * max(until_ns - since_ns, 0) / WEEK_NS
        return Load(told, promised, told / promised if promised else (float("inf") if told else 0.0))

    def erase(self, device: str) -> int:
        """Forget every alarm of a device; returns how many."""
        gone = [a for a in self._by_id.values() if a.event.device == device]
        for alarm in gone:
            self._forget(alarm)
        return len(gone)

    def _is_over(self, alarm: Alarm, now_ns: int) -> bool:
        return alarm.closed_ns is not None and now_ns - alarm.closed_ns > self._regroup_ns

    def _add(self, event: Event) -> Alarm:
        if len(self._by_id) >= self._most:
            alarms = self._by_id.values()
            self._forget(next((a for a in alarms if a.life is Life.CLOSED), next(iter(alarms))))
        alarm = Alarm(self._next, event, event.time_ns, event.time_ns)
        self._next += 1
        self._latest[alarm.key] = alarm.id
        return alarm

    def _forget(self, alarm: Alarm) -> None:
        del self._by_id[alarm.id]
        if self._latest.get(alarm.key) == alarm.id:
            del self._latest[alarm.key]

    def _tell(self, alarm: Alarm, event: Event) -> tuple[Notice, ...]:
        told = replace(alarm, told=alarm.told + 1)
        self._by_id[told.id] = told
        return (Notice(event, told),)

    def _clear(self, event: Event) -> None:
        for a in self.all():
            same = (a.event.device, a.event.cause) == (event.device, event.cause)
            if same and a.life is not Life.CLOSED:
                ended = replace(a, life=Life.CLOSED, until_ns=None)
                self._by_id[a.id] = replace(
                    ended, closed_ns=event.time_ns, last_ns=event.time_ns, cleared=event
                )

    def _move(
        self, number: int, *, life: Life, who: str, until_ns: int | None, closed_ns: int | None = None
    ) -> Alarm:
        alarm = self.find(number)
        if alarm.life is Life.CLOSED:
            raise BadInput(f"alarm {number} is closed already")
        moved = replace(alarm, life=life, who=who, until_ns=until_ns, closed_ns=closed_ns)
        self._by_id[number] = moved
        return moved
