"""Covariance: what is usual for each signal alone, and for all of them together.

Source of the estimator: a weighted covariance whose weights fall with the distance (Huber type),
iterated (Maronna, Annals of Statistics 4, 1976), so that faults in the history hardly count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.moments import Floats, Moments, merge, moments_of
from bimetal.program.operators.guarded_distance import FARTHEST, GUARD, NEAR

Rows = NDArray[np.float32]

RIDGE_OWN = 0.002
RIDGE_TOGETHER = 0.03
_TURNS = 3
_CUT = 12.0
"""Beyond this many times the upper quartile of the distance a row counts less."""
_CHUNK = 16_384

_KEPT = 0.5
"""So much of what the ridge adds to a variance stays, though the readings never show it."""
_SETTLING = 20
"""After so many turns the mean distance, a mean of distances not far beyond it, no longer moves."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual for d features.

    Their centre (d,), the whitened directions (d, d), one over the mean distance, and the diagonal
    of W'W (d,), which says how exactly each feature follows from the others. `short` (d,) is by how much
    the variance of each direction falls short to GuardedDistance, which learns far readings less.
    """

    centre: Floats
    whiten: Floats
    gain: float
    precision: Floats
    short: Floats


def fit_habit(rows: Rows, ridge: float) -> Habit:
    """Fit the habit of features (n, d); hardly moved by a fifth of bad rows, if they are bad in many ways.

    Rows that are many and alike are a way of running, and are learned.
    `ridge` is added to every direction's variance, so that what never moved may move a little.
    """
    low, high = _bounds(rows)
    centre, whiten = _whitened(merge(moments_of(np.clip(c, low, high)) for c in _chunks(rows)), ridge)
    distance = _distance(rows, centre, whiten)
    for _ in range(_TURNS):
        cut = _CUT * max(float(np.quantile(distance, 0.75)), 0.25 * rows.shape[1])
        weight = np.minimum(1.0, cut / np.maximum(distance, 1e-12))
        starts = range(0, len(rows), _CHUNK)
        parts = (moments_of(c, weight[k : k + _CHUNK]) for k, c in zip(starts, _chunks(rows), strict=True))
        centre, whiten = _whitened(merge(parts), ridge)
        distance = _distance(rows, centre, whiten)
    usual = float(np.minimum(distance, np.quantile(distance, 0.95)).mean())
    precision = np.clip((whiten**2).sum(axis=0), 1e-6, 1e9)
    centre, whiten, gain = np.clip(centre, -1e4, 1e4), np.clip(whiten, -100, 100), 1 / max(usual, 1e-6)
    return Habit(centre, whiten, gain, precision, _short(((rows - centre) @ whiten.T) ** 2, gain * distance))


def _short(squares: Floats, distance: Floats) -> Floats:
    """Return by how much the means of squares (n, d) along each direction shrink, weighed as the guard will.

    What the ridge has added is made up for in part: that a direction hardly ever moves may be learned.
    """
    mean = 1.0
    for _ in range(_SETTLING):
        mean = float(np.clip(np.minimum(distance, NEAR * mean).mean(), 1e-3, 1e6))
    guard = np.minimum(1.0, GUARD * mean / np.maximum(distance, 1e-6))
    whole, guarded = squares.mean(axis=0), guard @ squares / guard.sum()
    return np.clip(whole - guarded + _KEPT * (1 - whole), 0, FARTHEST)


def _whitened(moments: Moments, ridge: float) -> tuple[Floats, Floats]:
    size, directions = np.linalg.eigh(moments.covariance)
    return moments.mean, (directions / np.sqrt(np.maximum(size, 0) + ridge)).T


def _bounds(rows: Rows) -> tuple[Rows, Rows]:
    """Five robust spreads around the middle; a feature that mostly stands still has its plain spread."""
    middle = np.median(rows, axis=0)
    spread = rows.std(axis=0, dtype=np.float64).astype(np.float32)
    robust = np.float32(1.4826) * np.median(np.abs(rows - middle), axis=0)
    scale = np.where(robust > 0.1 * spread, robust, spread)
    return middle - 5 * scale, middle + 5 * scale


def _distance(rows: Rows, centre: Floats, whiten: Floats) -> Floats:
    return np.concatenate([(((c - centre) @ whiten.T) ** 2).sum(axis=1) for c in _chunks(rows)])


def _chunks(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
