"""Standout: a moment of a history that is far more unusual than the rest, for somebody to say what it was."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.nouns.event import Reason


@dataclass(frozen=True, slots=True)
class Standout:
    """What stood out at a device, first and last reading included, in nanoseconds since 1970 UTC.

    `score` is its highest, 1 where an alarm begins; `rest` the highest of this device's history outside of
    all moments that are named. `reasons` are those of where it first shows.
    """

    device: str
    begin_ns: int
    end_ns: int
    score: float
    rest: float
    reasons: tuple[Reason, ...]
