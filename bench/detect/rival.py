"""Rivals: what any detector has to beat, each without look-ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.detect.metric import margin_of
from bench.detect.series import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Said:
    """What a detector said about every row: score (n,), alarm (n,), shares (n, s) where it has them.

    `seconds` is what scoring took.
    """

    score: Floats
    alarm: NDArray[np.bool_]
    share: NDArray[np.float32] | None = None
    state_bytes: int = 0
    parameter_bytes: int = 0
    learn_s: float = 0.0
    run_s: float = 0.0


def rivals(series: Series, rate: float) -> Iterator[tuple[str, Said]]:
    """Yield the simple rivals; `rate` is how often a row may be a false alarm."""
    chance = np.random.default_rng(0).random(len(series.values))
    yield "random", Said(chance, chance > 1 - rate)
    yield "all ones", Said(np.ones(len(chance)), np.ones(len(chance), bool))
    yield "z-score > 3", _z_score(series)
    yield "seasonal naive > 3", _seasonal(series)


def _z_score(series: Series) -> Said:
    """The largest distance from the mean, in standard deviations of what may be learned from."""
    known = series.values[: series.learn]
    off = np.abs(series.values - known.mean(axis=0)) / _spread(known)
    score = off.max(axis=1)
    return Said(score, score > 3, (off**2).astype(np.float32))


def _seasonal(series: Series) -> Said:
    """The largest change from one period before, in standard deviations of that change."""
    known = series.values[: series.learn]
    period = min(margin_of(known[:, 0]), len(known) // 2)
    change = series.values - np.roll(series.values, period, axis=0)
    change[:period] = 0
    off = np.abs(change) / _spread(change[period : series.learn])
    score = off.max(axis=1)
    return Said(score, score > 3, (off**2).astype(np.float32))


def _spread(rows: Floats) -> Floats:
    spread = rows.std(axis=0)
    return np.where(spread > 0, spread, 1.0)
