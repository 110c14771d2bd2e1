"""Further: what else can be said of an alarm: what it is most like, and what would have kept it silent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.explain.reason import Expected
from bimetal.explain.sentence import like_words, unless_words
from bimetal.nouns.device import FLEET
from bimetal.nouns.event import Cause, Event, Kind, Like, Unless
from bimetal.nouns.signal import Signal

ALIKE = 0.5
"""An alarm that has less than half in common with a known one is not compared with it."""
GRID = 65
ROUNDS = 4
"""So many values are tried at once, and so often between the last two."""
Alarms = Callable[[NDArray[np.float64]], NDArray[np.bool_]]


class Known(Protocol):
    """What somebody said of an alarm before."""

    @property
    def name(self) -> str:
        """What it was called, often nothing."""
        ...

    @property
    def verdict(self) -> str:
        """What it was: `a fault` or `not a fault`."""
        ...

    @property
    def device(self) -> str:
        """Whose alarm it was."""
        ...

    @property
    def time_ns(self) -> int:
        """When it was."""
        ...


class Asks(Protocol):
    """The row at which an alarm begins, and what would have been said with other values."""

    def said(self, at: int, name: str) -> float | None:
        """Return what the program put out at a row; None for an output it has not."""
        ...

    def alarms(self, at: int, signal: int, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether there would be an alarm at a row, had one signal been each of these values (m,)."""
        ...


@dataclass(frozen=True, slots=True)
class Further:
    """Adds to an alarm what it is most like, and what its first signal should have been instead.

    `known(device)` has what was said before for every place of the device's bank of patterns.
    """

    signals: tuple[Signal, ...]
    expected: Mapping[str, Sequence[Expected]]
    known: Callable[[str], Sequence[Known]]

    def __call__(self, event: Event, asks: Asks, at: int) -> Event:
        """Return the event with more to say, or as it was: where nothing can be said, nothing is."""
        if event.kind is not Kind.ALARM:
            return event
        like, unless = self._like(event, asks, at), self._unless(event, asks, at)
        words = [event.sentence.rstrip(".")]
        if unless is not None:
            width = event.reasons[0].high - event.reasons[0].low
            words.append(unless_words(unless, width))
        if like is not None:
            words.append(like_words(like, event.device, _day(like.time_ns)))
        return replace(event, like=like, unless=unless, sentence=f"{'; '.join(words)}.")

    def _like(self, event: Event, asks: Asks, at: int) -> Like | None:
        place, alike = asks.said(at, "pattern"), asks.said(at, "alike")
        known = self.known(event.device)
        if place is None or alike is None or not 0 <= place < len(known) or alike < ALIKE:
            return None
        one = known[int(place)]
        return Like(one.name, str(one.verdict), min(alike, 1.0), one.device, one.time_ns)

    def _unless(self, event: Event, asks: Asks, at: int) -> Unless | None:
        """Hold all but the signal with the largest share, and look for where the alarm ends."""
        if event.cause is Cause.SENSOR or not event.reasons or not np.isfinite(event.reasons[0].value):
            return None
        first = event.reasons[0]
        signal = next(k for k, s in enumerate(self.signals) if s.name == first.signal)
        usual = (self.expected.get(event.device) or self.expected[FLEET])[signal]
        found = limit_of(first.value, usual.low, usual.high, lambda v: asks.alarms(at, signal, v))
        if found is None:
            return None
        return Unless(first.signal, found, found < first.value, first.unit)


def limit_of(value: float, low: float, high: float, alarms: Alarms) -> float | None:
    """Return the value nearest to the one that was seen with which there is no alarm, to single precision.

    None where there is none between it and the middle of the usual range, where values in between alarm
    again, or where the value is a usual one: then it is no larger and no smaller value that is meant.
    """
    if low <= value <= high or not (np.isfinite(low) and np.isfinite(high)):
        return None
    near, far = value, (low + high) / 2
    for turn in range(ROUNDS):
        grid = np.linspace(near, far, GRID).astype(np.float32).astype(np.float64)
        on = alarms(grid)
        if not on[0]:
            return None
        silent = np.flatnonzero(~on)
        if not len(silent) or (turn == 0 and on[silent[0] :].any()):
            return None
        near, far = float(grid[silent[0] - 1]), float(grid[silent[0]])
    return far


def _day(time_ns: int) -> str:
    """Write the day of an alarm as people do; nothing where the data have no calendar."""
    try:
        when = datetime.fromtimestamp(time_ns // 10**9, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{when.day} {when:%B %Y}" if when.year >= 1990 else ""
