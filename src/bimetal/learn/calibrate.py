"""Calibrate: from a budget of false alarms to a threshold on the score."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput

SECONDS = {"hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2629800.0, "year": 31557600.0}
BLOCK = 30
REACH = 5
"""The tail of the scores is followed to so many times the length of the history."""
FOLD = 0.6
"""From so much of the history the habits are learned that are tried on the rest."""
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:/|per|a)\s*(hour|day|week|month|year)\s*")


@dataclass(frozen=True, slots=True)
class Budget:
    """How many false alarms one device may raise: `count` in every `span` (hour, day, week, month, year)."""

    count: float
    span: str

    @property
    def per_second(self) -> float:
        """The same as a rate in 1/s."""
        return self.count / SECONDS[self.span]

    def __str__(self) -> str:
        return f"{self.count:g}/{self.span}"


def parse_budget(text: str) -> Budget:
    """Read `1/week`, `2/day`, `0.5/month`; raises BadInput with what it should look like."""
    match = _WRITTEN.fullmatch(text.lower())
    if not match or not 0 < float(match[1]) < 1e6:
        raise BadInput(f"{text!a} is no rate of false alarms", hint="Write it like 1/week, 2/day or 1/month")
    return Budget(float(match[1]), match[2])


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where an alarm begins, and how far the history reaches towards the promise.

    `history_s` is the time the calibration saw, all devices together; `promise_s` the time in which one
    alarm is allowed. Where the history is shorter, the tail beyond it is extrapolated, but to no more than
    REACH times the history.
    """

    value: float
    history_s: float
    promise_s: float

    @property
    def extrapolated(self) -> bool:
        """True when the history is shorter than the time between two allowed alarms."""
        return self.history_s < self.promise_s

    @property
    def beyond_reach(self) -> bool:
        """True when the history is too short to tell where the threshold of the promise lies."""
        return REACH * self.history_s < self.promise_s

    def words(self) -> str:
        """Say how well founded the promise is."""
        if not self.extrapolated:
            return "measured within the history"
        part = (
            f"the history covers {self.history_s / self.promise_s:.1%} of the time between two allowed alarms"
        )
        if self.beyond_reach:
            return f"kept by holding further alarms back: {part}, too little to tell the threshold from"
        return f"extrapolated: {part}"


def threshold_for(
    scores: Sequence[NDArray[np.float64]],
    budget: Budget,
    period_s: float,
    held_out: Sequence[NDArray[np.float64]],
) -> Threshold:
    """Return the threshold at which healthy readings raise the promised number of alarms.

    `scores` are each device's scores over the history they were learned from, which flatter; `held_out`
    those by habits learned from only a part FOLD of the history, over the rest, which scold: what new
    readings will get lies between, as the error of an estimate goes with one over its rows. Gumbel
    distribution of the maxima of 30 readings, by probability-weighted moments (Hosking, Wallis and Wood,
    Technometrics 27, 1985).
    """
    rows = sum(len(s) for s in scores)
    promised = budget.per_second * period_s * BLOCK
    chance = min(max(promised, BLOCK / max(REACH * rows, 1)), 0.5)
    found = [_gumbel(maxima, chance) for maxima in (_maxima(scores), _maxima(held_out)) if len(maxima) >= 4]
    if len(found) == 2:
        value = found[0] + (found[1] - found[0]) * 2 / (1 + 1 / FOLD)
    else:
        value = found[0] if found else 2.0 * max((float(s.max()) for s in scores if len(s)), default=1.0)
    return Threshold(min(max(value, 1e-3), 1e6), rows * period_s, 1 / budget.per_second)


def _maxima(scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    whole = [s[: len(s) // BLOCK * BLOCK].reshape(-1, BLOCK).max(axis=1) for s in scores]
    return np.concatenate(whole) if whole else np.empty(0)


def _gumbel(maxima: NDArray[np.float64], chance: float) -> float:
    """Return the level that a maximum exceeds with this chance; the top tenth is drawn in, lest faults
    in the history lift the threshold beyond what they themselves reach."""
    drawn = np.sort(np.minimum(maxima, np.quantile(maxima, 0.5) + 6 * _half_spread(maxima)))
    first = float(drawn.mean())
    second = float((np.arange(len(drawn)) / max(len(drawn) - 1, 1) * drawn).mean())
    scale = max((2 * second - first) / math.log(2), 1e-6)
    return first - 0.5772156649 * scale - scale * math.log(-math.log1p(-chance))


def _half_spread(maxima: NDArray[np.float64]) -> float:
    low, high = np.quantile(maxima, (0.1, 0.5))
    return float(max(high - low, 1e-6))
