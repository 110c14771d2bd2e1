"""Events and notices that the tests of this room start from."""

from __future__ import annotations

from bimetal.nouns import Cause, Event, Kind, Reason
from bimetal.tell.alarm import Alarm, Notice

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def event(
    at_s: float = 0,
    kind: Kind = Kind.ALARM,
    cause: Cause = Cause.PROCESS,
    device: str = "pump",
    score: float = 2.0,
    sentence: str = "Temperature is high.",
) -> Event:
    """An event so many seconds after START."""
    reasons = (Reason("temperature", 0.9, 61.5, 18.0, 24.0, "Cel"),)
    time_ns = START + round(at_s * SECOND)
    return Event(kind, device, time_ns, score, kind is Kind.ALARM, cause, reasons, sentence, time_ns)


def notice(**changes: object) -> Notice:
    """A notice of an event's first time."""
    said = event(**changes)  # type: ignore[arg-type]
    return Notice(said, Alarm(7, said, said.time_ns, said.time_ns))


HOSTILE = "pump\n2024-01-01 ALARM fake\r\x1b[31mred\x1b[0m\u202eevil\u2028\x00" + "x" * 10_000
