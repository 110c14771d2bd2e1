"""Pace: the target that commands run programs on, the fastest one that the user allows, and their loop."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable

from bimetal.cli.shelf import LocalShelf
from bimetal.cli.toolbox import LocalTools
from bimetal.targets.present import fastest
from bimetal.targets.target import Target

ALLOW = "BIMETAL_NATIVE"


def native_allowed() -> bool:
    """Say whether this user wants programs compiled: $BIMETAL_NATIVE is 1."""
    return os.environ.get(ALLOW) == "1"


def quickest() -> Target:
    """Return the fastest target here; a compiler is run only where the user allows it.

    Compiling takes seconds the first time a program is met, which pays for fleets, not for one file.
    """
    return fastest(LocalTools(), LocalShelf()) if native_allowed() else fastest()


def rest_s(usual_s: float, took_s: float) -> float:
    """Return how long to wait before doing again what took so long: it is to take 2 % of the time at most.

    What a server saves and looks at grows with its fleet: of 50,000 devices, saving takes a second.
    """
    return max(usual_s, 49.0 * took_s)


def take_short_turns() -> None:
    """Let threads of Python take turns of half a millisecond instead of five.

    A server saves and seals beside what it takes in; with long turns an acknowledgement waits for
    several of theirs.
    """
    sys.setswitchinterval(0.0005)


def collect_seldom() -> None:
    """Look for cycles of objects only after many more were made, and never among those that are there now.

    Each message makes a handful that live until it is acknowledged, and none of them is in a cycle: looking
    through them every 700 took a tenth of a server's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the fastest event loop there is here; None: that of the standard library."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows, nor for PyPy
        return None
    return uvloop.new_event_loop


def arrival_ns() -> int:
    """Return what time it is, in nanoseconds but no finer than readers of what is kept know: microseconds."""
    return time.time_ns() // 1_000 * 1_000
