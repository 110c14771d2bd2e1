"""Label: what somebody said of an alarm, with the patterns it is known by from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.limit import Limit
from bimetal.nouns.errors import BadInput
from bimetal.program.operators.known_pattern import MOST_SCORE

Shapes = NDArray[np.float32]

MOST_PATTERNS = 3
"""So many patterns of one label at most: an alarm begins in another way than it ends."""
ALIKE = 0.75
"""Rows are one pattern while they are alike by so much."""
ROOM = 0.05
LEAST_REACH, MOST_REACH = 0.6, 0.7
ABOVE = 0.25
"""What was called no fault is silenced up to this much above the highest score it had: what is far larger
is something else. A score is a logarithm: this is about half as much again."""
SOONER = 1.5
"""So many times its score counts what was called a fault, and less where that would raise other alarms."""
MOST_SOONER = 3.0
HEARD = 0.8
"""Rows with so much of the threshold belong to an alarm."""


class Verdict(StrEnum):
    """What an alarm was: nothing to worry about, or a fault."""

    NOT_A_FAULT = "not a fault"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shape (4, s) of an alarm, flat; how alike another must be, how high its score may be, and its gain.

    See program/operators/known_pattern.py: a gain of 0 silences, a larger one makes alarms sooner.
    """

    shape: tuple[float, ...]
    reach: float
    most: float
    gain: float


@dataclass(frozen=True, slots=True)
class Label:
    """What `who` said of an alarm or a notice of a device, and when; kept in the model's card for good.

    `everywhere`: it goes for every device, else for that one alone. A label that was taken back has
    `withdrawn_ns` and acts no longer. Times count nanoseconds since 1970 UTC. Of an alarm there are patterns;
    of a notice about `sensors`, by the names of their signals, there are limits.
    """

    number: int
    verdict: Verdict
    name: str
    device: str
    time_ns: int
    given_ns: int
    who: str
    everywhere: bool
    patterns: tuple[Pattern, ...]
    withdrawn_ns: int | None = None
    sensors: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()

    @property
    def allows(self) -> bool:
        """Whether more is allowed from then on, or less."""
        return self.verdict is Verdict.NOT_A_FAULT

    def holds_for(self, device: str) -> bool:
        """Say whether it acts on a device's alarms."""
        return self.withdrawn_ns is None and (self.everywhere or self.device == device)


def episode_of(score: NDArray[np.float32], at: int, hold: int) -> slice:
    """Return the rows of the alarm that is on at a row, or begins or ended up to `hold` rows from it.

    It lasts while the score comes back to its threshold within `hold` rows. Raises BadInput where there
    is none.
    """
    over = np.flatnonzero(score >= 1)
    apart = np.abs(over - at)
    if apart.min(initial=hold + 1) > hold:
        raise BadInput("there was no alarm at that time", hint="Give the time of an alarm that was raised")
    return part_at(over, int(over[apart.argmin()]), hold)


def part_at(rows: NDArray[np.intp], at: int, hold: int) -> slice:
    """Return from where to where rows go on that have `at` among them: no hole is wider than `hold`."""
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > hold) + 1)
    part = next(p for p in parts if p[0] <= at <= p[-1])
    return slice(int(part[0]), int(part[-1]) + 1)


def rise_of(score: NDArray[np.float32], at: int, around: int) -> slice:
    """Return the rows of a fault that raised no alarm: around a row, as long as the score is half its best.

    Raises BadInput where the score was nowhere near.
    """
    first = max(at - around, 0)
    near = score[first : at + around + 1]
    best = first + int(near.argmax()) if len(near) else 0
    if not len(near) or score[best] * MOST_SOONER < 1:
        raise BadInput(
            "the readings at that time look so usual that nothing can be learned from them",
            hint="Give the time at which it shows most",
        )
    low = np.flatnonzero(score < 0.5 * score[best])
    before, after = low[low < best], low[low > best]
    return slice(int(before[-1]) + 1 if len(before) else 0, int(after[0]) if len(after) else len(score))


@dataclass(frozen=True, slots=True)
class Looked:
    """What looking at rows of a device shows: raw scores (n,) and the shapes (n, ...) of alarms."""

    score: NDArray[np.float32]
    shape: Shapes

    def alike(self, middle: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how alike each row is to a pattern, 0..1."""
        return _alike(self.shape.reshape(len(self.shape), len(middle)), middle)


def patterns_of(
    seen: Looked, rows: slice, verdict: Verdict, elsewhere: Sequence[Looked] = ()
) -> tuple[Pattern, ...]:
    """Return the patterns of an alarm from its `rows` among those of a device; `elsewhere`: other devices.

    Rows are gathered around the least alike of them (Gonzalez, Theoretical Computer Science 38, 1985)
    until each is alike to one, or there are MOST_PATTERNS. What was called a fault counts more from then
    on, as far as no other row would raise an alarm by it.
    """
    own_score = seen.score[rows]
    highest = float(own_score.max())
    flat = seen.shape[rows].reshape(len(own_score), -1).astype(np.float64)
    heard: NDArray[np.float64] = flat[own_score >= HEARD * min(highest, 1.0)]
    rest = np.ones(len(seen.score), bool)
    rest[rows] = False
    others = [Looked(seen.score[rest], seen.shape[rest]), *elsewhere]
    found: list[Pattern] = []
    for own in _gathered(heard):
        middle: NDArray[np.float64] = np.round(np.asarray(own.mean(axis=0), np.float64), 5)
        reach = float(np.clip(np.quantile(_alike(own, middle), 0.02) - ROOM, LEAST_REACH, MOST_REACH))
        most, gain = _limits(highest, max(_highest(o, middle, reach) for o in others), verdict)
        found.append(Pattern(tuple(middle.tolist()), reach, most, gain))
    return tuple(found)


def _gathered(rows: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Split rows (n, p) into groups that are alike."""
    centres = [rows[0]]
    while len(centres) < MOST_PATTERNS:
        alike = np.max([_alike(rows, c) for c in centres], axis=0)
        if alike.min() >= ALIKE:
            break
        centres.append(rows[int(alike.argmin())])
    nearest = np.argmax([_alike(rows, c) for c in centres], axis=0)
    groups = [rows[nearest == k] for k in range(len(centres))]
    return [group for group in groups if len(group)]


def _highest(other: Looked, middle: NDArray[np.float64], reach: float) -> float:
    """Return the highest score without an alarm of what is alike."""
    like = other.alike(middle) >= reach
    return float(other.score[like & (other.score < 1)].max(initial=0.0))


def _limits(highest: float, others: float, verdict: Verdict) -> tuple[float, float]:
    """Return a pattern's most score and gain; its like was that high elsewhere, without an alarm."""
    if verdict is Verdict.NOT_A_FAULT:
        return highest + ABOVE, 0.0
    wanted = float(np.clip(1.1 / max(highest, 1e-6), SOONER, MOST_SOONER))
    return MOST_SCORE, max(min(wanted, 0.9 / max(others, 1e-6)), 1.0)


def _alike(rows: NDArray[Any], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.minimum(rows, centre).sum(axis=1)
