"""Calibrate: from a budget of false alarms to a threshold on the score."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program.operators.budgeted_alarm import BudgetedAlarm
from bimetal.program.operators.drift_test import NEVER, ONE_IN

SECONDS = {"hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2629800.0, "year": 31557600.0}
BLOCK = 30
REACH = 5
"""The tail of the scores is followed to so many times the length of the history."""
FOLD = 0.6
"""From so much of the history the habits are learned that are tried on the rest."""
COUNTABLE = 5
"""So many maxima beyond a level are enough to tell its chance by counting alone."""
LEAST_MAXIMA = 4
"""With fewer maxima there is no telling how they are distributed."""
IMPLAUSIBLE = 10
"""What happens in one case of so many is not put down to chance."""
OFTEN = 0.25
"""How alarms cluster is seen at the level that so many of the maxima reach."""
HEAVIEST = 2.0
"""Counting may lift the threshold by so much; beyond that, the history is taken to have faults in it."""
PATIENCE = 20
"""Of itself the drift test speaks at most once in so many times the time in which one alarm is allowed,"""
LEAST_PATIENCE, MOST_PATIENCE = 1e3, 1e7
"""and at most once in so many blocks; it is not asked to wait for more than so many."""
LEAST_BLOCKS = 22
"""With fewer blocks in the history nothing is tested."""
SURE = 0.9
"""How sure it is that no more blocks than that reach the level of the drift test."""
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
    readings will get lies between, as the error of an estimate goes with one over its rows; but no lower
    than in the history itself, should what was held out happen to be calmer. Gumbel distribution of the
    maxima of 30 readings, by probability-weighted moments (Hosking, Wallis and Wood, Technometrics 27, 1985).
    """
    rows = sum(len(s) for s in scores)
    promised = budget.per_second * period_s * BLOCK
    chance = min(max(promised, BLOCK / max(REACH * rows, 1)), 0.5)
    found = [level for level in (_level(scores, chance), _level(held_out, chance)) if level is not None]
    if len(found) == 2:
        value = max(found[0], between(found))
    else:
        value = found[0] if found else 2.0 * max((float(s.max()) for s in scores if len(s)), default=1.0)
    return Threshold(min(max(value, 1e-3), 1e6), rows * period_s, 1 / budget.per_second)


@dataclass(frozen=True, slots=True)
class Drift:
    """What the drift test (program/operators/drift_test.py) holds scores against, from a history.

    At most one block of readings in ten reaches `level`, in units of the threshold; unchanged, the test says
    "changed" at most once in `patience` blocks on average, which are `patience_s` seconds. `level` is NEVER
    where the history has fewer than LEAST_BLOCKS blocks: then nothing is tested.
    """

    level: float
    patience: float
    patience_s: float

    @property
    def tested(self) -> bool:
        """Whether there was enough history for the test."""
        return self.level < NEVER


def drift_for(
    scores: Sequence[NDArray[np.float64]],
    held_out: Sequence[NDArray[np.float64]],
    threshold: Threshold,
    period_s: float,
    block: int,
) -> Drift:
    """Return what the drift test needs; `scores` and `held_out` as `threshold_for` has them.

    The level is a tolerance limit of the maxima of blocks (Wilks, Annals of Mathematical Statistics 12,
    1941), the flattering and the scolding ones weighed as there.
    """
    block_s = block * period_s
    patience = float(np.clip(PATIENCE * threshold.promise_s / block_s, LEAST_PATIENCE, MOST_PATIENCE))
    levels = [_one_in_ten(maxima) for maxima in (_maxima(scores, block), _maxima(held_out, block))]
    value = between(levels) if max(levels) < NEVER else NEVER
    return Drift(min(value / threshold.value, NEVER), patience, patience * block_s)


def confidence_of(alarms: float, allowed: float) -> float:
    """Return how sure it is, 0..1, that the threshold alone keeps a promise of `allowed` alarms in a history.

    `alarms` are those it raises there: a process that raises more than was promised would have shown more
    than these with at least this chance (Garwood, Biometrika 28, 1936: Poisson).
    """
    term = math.exp(-min(allowed, 700.0))
    below = term
    for k in range(1, math.floor(alarms) + 1):
        term *= allowed / k
        below += term
    return float(np.clip(1 - below, 0.0, 1.0)) if allowed < 700 else float(alarms < allowed)


def begins(score: NDArray[np.float64], level: float) -> int:
    """Return how many alarms begin at this threshold, told or held back: see BudgetedAlarm."""
    alarm = BudgetedAlarm()
    lasts = np.flatnonzero(score >= alarm.keep * level)
    trouble = np.cumsum(np.diff(lasts, prepend=-1) > alarm.hold)
    return len(np.unique(trouble[score[lasts] >= level]))


def _one_in_ten(maxima: NDArray[np.float64]) -> float:
    """Return what at most one more block in ten reaches, with SURE; NEVER with too few blocks."""
    blocks = len(maxima)
    if blocks < LEAST_BLOCKS:
        return NEVER
    chance, below, place = 1 / ONE_IN, 0.0, 0
    term = blocks * math.log1p(-chance)
    while (below := below + math.exp(term)) <= 1 - SURE:
        place += 1
        term += math.log((blocks - place + 1) / place * chance / (1 - chance))
    return float(np.sort(maxima)[-place]) if place else NEVER


def between(found: Sequence[float]) -> float:
    """Weigh what flatters and what scolds: the error of an estimate goes with one over its rows."""
    return found[0] + (found[1] - found[0]) * 2 / (1 + 1 / FOLD)


def _maxima(scores: Sequence[NDArray[np.float64]], block: int = BLOCK) -> NDArray[np.float64]:
    whole = [s[: len(s) // block * block].reshape(-1, block).max(axis=1) for s in scores]
    return np.concatenate(whole) if whole else np.empty(0)


def _level(scores: Sequence[NDArray[np.float64]], chance: float) -> float | None:
    """Return what alarms begin at with this chance in a block: by the tail, and by what can be counted.

    Where few are allowed, only so many are counted against the tail that chance hardly explains them.
    """
    maxima = _maxima(scores)
    if len(maxima) < LEAST_MAXIMA:
        return None
    often = float(np.quantile(maxima, 1 - OFTEN))
    reached, alarms = maxima >= often, sum(begins(s, often) for s in scores)
    rises = np.count_nonzero(np.diff(reached.astype(np.int8), prepend=0) == 1)
    # One more of each, lest a few that happen to be neighbours say that all are.
    of_blocks, of_rises = (min((alarms + 1) / (n + 1), 1.0) for n in (np.count_nonzero(reached), rises))
    told, allowed = _gumbel(maxima, min(chance / of_blocks, 0.5)), len(maxima) * chance / of_rises
    most = allowed if allowed >= COUNTABLE else _plausible(allowed)
    return max(told, min(_counted(maxima, most), HEAVIEST * told))


def _plausible(expected: float) -> int:
    """Return the least number that chance (Poisson) exceeds in one case of IMPLAUSIBLE, or fewer."""
    return next(number for number in count() if confidence_of(number, expected) <= 1 / IMPLAUSIBLE)


def _counted(maxima: NDArray[np.float64], allowed: float) -> float:
    """Return the least level that is passed no more often than allowed; neighbours pass it together."""
    passed = np.zeros(len(maxima) + 2, bool)
    times, level = 0, math.inf
    for k in np.argsort(-maxima, kind="stable").tolist():
        times += 1 - int(passed[k]) - int(passed[k + 2])
        passed[k + 1] = True
        if times > allowed:
            break
        level = float(maxima[k])
    return level


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
