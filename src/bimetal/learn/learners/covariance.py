"""Covariance: what is usual for each signal alone, and for all of them together.

Source of the estimator: a weighted covariance whose weights fall with the distance (Huber type),
iterated (Maronna, Annals of Statistics 4, 1976), so that faults in the history hardly count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE_OWN = 0.002
RIDGE_TOGETHER = 0.01
MOST_ROWS = 60_000
_TURNS = 3
_CUT = 6.0


@dataclass(frozen=True, slots=True)
class Habit:
    """The centre of features (d,), the whitened directions (d, d), one over the mean distance, and the
    diagonal of W'W (d,)."""

    centre: Floats
    whiten: Floats
    gain: float
    precision: Floats


def fit_habit(features: Floats, ridge: float) -> Habit:
    """Fit the habit of features (n, d); robust against a fifth of bad rows."""
    rows = features if len(features) <= MOST_ROWS else features[:: -(-len(features) // MOST_ROWS)]
    centre, whiten = _fit(_drawn_in(rows), np.ones(len(rows)), ridge)
    distance = _distance(rows, centre, whiten)
    for _ in range(_TURNS):
        cut = _CUT * max(float(np.quantile(distance, 0.75)), 0.25 * rows.shape[1], 1e-9)
        centre, whiten = _fit(rows, np.minimum(1.0, cut / np.maximum(distance, 1e-12)), ridge)
        distance = _distance(rows, centre, whiten)
    usual = float(np.minimum(distance, np.quantile(distance, 0.95)).mean())
    precision = np.clip((whiten**2).sum(axis=0), 1e-6, 1e9)
    return Habit(np.clip(centre, -1e4, 1e4), np.clip(whiten, -100, 100), 1 / max(usual, 1e-6), precision)


def location_and_scale(values: Floats) -> tuple[Floats, Floats]:
    """Return the median and a scale of each column of (n, s); a constant column gets 1 % of its size."""
    with np.errstate(all="ignore"):
        known = np.where(np.isnan(values).all(axis=0), 0.0, values)
        middle = np.nanmedian(known, axis=0)
        clipped = _drawn_in(np.where(np.isnan(known), middle, known))
        spread = clipped.std(axis=0)
    alone = np.maximum(np.abs(middle) * 1e-2, 1e-3)
    scale = np.where(spread > np.maximum(np.abs(middle) * 1e-6, 1e-25), spread, alone)
    return middle, np.clip(scale, 1e-29, 1e38)


def _drawn_in(rows: Floats) -> Floats:
    middle = np.median(rows, axis=0)
    spread = rows.std(axis=0)
    robust = 1.4826 * np.median(np.abs(rows - middle), axis=0)
    scale = np.where(robust > 0.1 * spread, robust, spread)
    return middle + np.clip(rows - middle, -5 * scale, 5 * scale)


def _fit(rows: Floats, weight: Floats, ridge: float) -> tuple[Floats, Floats]:
    total = weight.sum()
    centre = (weight[:, None] * rows).sum(axis=0) / total
    off = (rows - centre) * np.sqrt(weight)[:, None]
    size, directions = np.linalg.eigh(off.T @ off / total)
    return centre, (directions / np.sqrt(np.maximum(size, 0) + ridge)).T


def _distance(rows: Floats, centre: Floats, whiten: Floats) -> Floats:
    return (((rows - centre) @ whiten.T) ** 2).sum(axis=1)
