"""Fault: what is wrong with a sensor, as opposed to what it measures."""

from __future__ import annotations

from enum import IntEnum


class Fault(IntEnum):
    """What is wrong with one signal of a device; programs put these numbers out."""

    HEALTHY = 0
    MISSING = 1
    OUT_OF_RANGE = 2
    STUCK = 3
