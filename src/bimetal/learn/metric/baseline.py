"""Baseline: what any detector has to beat, each without look-ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.curve import Scores, margin_of

LIMIT = 3.0
"""Alarms begin at so many standard deviations, as they usually do."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a detector says of n rows: scores (n,), alarms (n,), and each signal's part (n, signals)."""

    score: Scores
    alarm: NDArray[np.bool_]
    share: NDArray[np.float32] | None = None


def baselines(values: Scores, learn: int, rate: float, seed: int) -> Iterator[tuple[str, Opinion]]:
    """Yield each by name, for values (n, signals) of which the first `learn` rows may be learned from.

    `rate` is how often a row may begin a false alarm. Of missing values (NaN) nothing is said.
    """
    chance = np.random.default_rng(seed).random(len(values))
    yield "random", Opinion(chance, chance > 1 - rate)
    yield "all ones", Opinion(np.ones(len(values)), np.ones(len(values), bool))
    yield "z-score > 3", _z_score(values, learn)
    yield "seasonal naive > 3", _seasonal(values, learn)


def _z_score(values: Scores, learn: int) -> Opinion:
    """The largest distance from the mean, in standard deviations of what may be learned from."""
    known = values[:learn]
    with np.errstate(invalid="ignore"):
        return _opinion(np.abs(values - _mean(known)) / _spread(known))


def _seasonal(values: Scores, learn: int) -> Opinion:
    """The largest change from one period before, in standard deviations of that change."""
    known = np.nan_to_num(values[:learn, 0])
    period = max(min(margin_of(known), learn // 2), 1)
    change = np.zeros_like(values)
    change[period:] = values[period:] - values[:-period]
    return _opinion(np.abs(change) / _spread(change[period:learn]))


def _opinion(off: Scores) -> Opinion:
    off = np.nan_to_num(off, nan=0.0, posinf=0.0)
    score = off.max(axis=1)
    return Opinion(score, score > LIMIT, (off**2).astype(np.float32))


def _mean(rows: Scores) -> Scores:
    there = np.isfinite(rows)
    return np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)


def _spread(rows: Scores) -> Scores:
    there = np.isfinite(rows)
    off = np.where(there, rows, _mean(rows)) - _mean(rows)
    spread = np.sqrt((off**2).sum(axis=0) / np.maximum(there.sum(axis=0), 1))
    return np.where(spread > 0, spread, 1.0)
