"""Reading: one value of one signal at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Quality(IntEnum):
    """How far a reading can be trusted; the order is from good to unusable."""

    GOOD = 0
    DOUBTFUL = 1
    BAD = 2
    MISSING = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one signal of one device; `time_ns` counts from 1970-01-01 UTC."""

    device: str
    signal: str
    time_ns: int
    value: float
    quality: Quality = Quality.GOOD
