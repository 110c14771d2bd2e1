"""Event: what a program said about a device at an instant, with its explanation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What sort of thing was said; `drift`: what is usual has changed, so that a promise no longer holds."""

    ALARM = "alarm"
    CLEARED = "cleared"
    QUALITY = "quality"
    DRIFT = "drift"


class Cause(StrEnum):
    """Where the trouble lies: in the process, in a sensor, or in a way of running that was never seen."""

    PROCESS = "process"
    SENSOR = "sensor"
    CONTEXT = "context"


class Fault(IntEnum):
    """What is wrong with one signal of a device; programs put these numbers out."""

    HEALTHY = 0
    MISSING = 1
    OUT_OF_RANGE = 2
    STUCK = 3
    SPIKE = 4
    DROPOUT = 5
    NOISE = 6
    OFFSET = 7
    DRIFT = 8
    UNIT = 9


@dataclass(frozen=True, slots=True)
class Reason:
    """One signal's part in an event.

    `share` is its part of the score, 0..1, all reasons together at most 1; `value` and
    the usual range `low`..`high` are in `unit`; `value` is NaN where nothing arrived.
    `since_ns` is since when its part has been larger than it mostly is, None where that is not known.
    """

    signal: str
    share: float
    value: float
    low: float
    high: float
    unit: str = ""
    since_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Unless:
    """With this signal at `limit` there would have been no alarm, the others as they were.

    `below`: nor with a smaller value, down to the middle of what is usual; else with a larger one.
    """

    signal: str
    limit: float
    below: bool
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Like:
    """The known alarm that this one is most like: what it was called, and the verdict, `a fault` or not.

    `alike` is the part they have in common, 0..1; it was the alarm of `device` at `time_ns`.
    """

    name: str
    verdict: str
    alike: float
    device: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class Event:
    """What a program said about a device at an instant.

    `score` is 1.0 exactly at the alarm threshold; `reasons` are ordered by share, largest
    first; `sentence` says the same in plain words; `since_ns` is when it began. `id` is the same
    when the same event is said again, as after a power cut; empty for one that is not of a stream.
    `confidence` says how often such a cause is the true one, 0..1, measured where all causes make the same
    excursion: low for the process where one signal alone is off, as a sensor may be. `unless` and `like` are
    there for some alarms.
    """

    kind: Kind
    device: str
    time_ns: int
    score: float
    alarm: bool
    cause: Cause
    reasons: tuple[Reason, ...]
    sentence: str
    since_ns: int
    id: str = field(default="", compare=False)
    confidence: float = 1.0
    unless: Unless | None = None
    like: Like | None = None
