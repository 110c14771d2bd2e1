"""Alarms as the page keeps them: events of one device and cause grouped into one entry."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bimetal.nouns.errors import NotFound
from bimetal.nouns.event import Cause, Event, Kind


class Life(StrEnum):
    """Where an alarm is in its life: open, seen by somebody, or over."""

    OPEN = "open"
    SEEN = "seen"
    CLOSED = "closed"


@dataclass(slots=True)
class Alarm:
    """One entry of the list: the latest event of its kind, how often it came, and its life.

    `repeats` counts episodes (an episode is all events with one `since_ns`); `fresh` says
    that its latest event began one; `revision` is the number of the change that touched it last.
    """

    id: int
    event: Event
    life: Life = Life.OPEN
    repeats: int = 1
    first_ns: int = 0
    closed_ns: int | None = None
    revision: int = 0
    fresh: bool = True


class AlarmList:
    """The newest alarms, grouped by device, kind and cause; the oldest are forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_key: OrderedDict[tuple[str, Kind, Cause], Alarm] = OrderedDict()
        self._next_id = 1

    def __iter__(self) -> Iterator[Alarm]:
        return iter(tuple(self._by_key.values()))

    def forget_all(self) -> None:
        """Start with an empty list; ids go on counting."""
        self._by_key.clear()

    def forget(self, device: str) -> None:
        """Forget the alarms of one device."""
        for key in [key for key in self._by_key if key[0] == device]:
            del self._by_key[key]

    def forget_before(self, oldest_ns: int) -> None:
        """Forget the alarms whose latest event is older."""
        for key in [key for key, alarm in self._by_key.items() if alarm.event.time_ns < oldest_ns]:
            del self._by_key[key]

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, number: int) -> Alarm:
        """Return the alarm with this id. Raises NotFound."""
        for alarm in self._by_key.values():
            if alarm.id == number:
                return alarm
        raise NotFound(f"no alarm has the id {number}", hint="List them with GET /api/v1/events")

    def take(self, event: Event, revision: int) -> tuple[Alarm, ...]:
        """Take an event in and return the entries it changed, the one it became first.

        A cleared event closes what is open for its device and cause, or everything open
        for the device when nothing of that cause is.
        """
        if event.kind is Kind.CLEARED:
            return self._close(event, revision)
        key = (event.device, event.kind, event.cause)
        alarm = self._by_key.get(key)
        fresh = alarm is None or alarm.life is Life.CLOSED or alarm.event.since_ns != event.since_ns
        if alarm is None:
            alarm = Alarm(self._next_id, event, first_ns=event.since_ns)
            self._next_id += 1
            self._by_key[key] = alarm
            self._forget()
        elif fresh:
            alarm.repeats += 1
            alarm.life = Life.OPEN
            alarm.closed_ns = None
            self._by_key.move_to_end(key)
        alarm.event, alarm.fresh, alarm.revision = event, fresh, revision
        return (alarm,)

    def acknowledge(self, number: int, revision: int) -> Alarm:
        """Mark an alarm as seen; one that is over stays over. Raises NotFound."""
        alarm = self.find(number)
        if alarm.life is Life.OPEN:
            alarm.life = Life.SEEN
            alarm.revision = revision
        return alarm

    def open_of(self, device: str) -> list[Alarm]:
        """Return the alarms of one device that are not over."""
        return [a for a in self._by_key.values() if a.event.device == device and a.life is not Life.CLOSED]

    def _close(self, event: Event, revision: int) -> tuple[Alarm, ...]:
        running = self.open_of(event.device)
        over = [a for a in running if a.event.cause is event.cause] or running
        for alarm in over:
            alarm.life = Life.CLOSED
            alarm.closed_ns = event.time_ns
            alarm.revision = revision
        return tuple(over)

    def _forget(self) -> None:
        if len(self._by_key) <= self._most:
            return
        over = (k for k, a in self._by_key.items() if a.life is Life.CLOSED)
        del self._by_key[next(over, next(iter(self._by_key)))]
