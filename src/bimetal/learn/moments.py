"""Moments: weight, mean and co-moments of rows, which add up over chunks, devices and sites."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """What is kept of weighted rows (n, d): their weight, mean (d,) and co-moments (d, d) about it.

    Merging is exact but for rounding, in any order (Chan, Golub and LeVeque, American Statistician 37,
    1983): rows need not meet in one place.
    """

    weight: float
    mean: Floats
    comoment: Floats

    @property
    def covariance(self) -> Floats:
        """The covariance (d, d); zeros when there is no weight."""
        return self.comoment / self.weight if self.weight > 0 else np.zeros_like(self.comoment)


def moments_of(rows: NDArray[np.floating], weight: Floats | None = None) -> Moments:
    """Return the moments of rows (n, d), each counting as much as its weight, 1 if not given."""
    wide = rows.astype(np.float64)
    given = np.ones(len(wide)) if weight is None else weight
    total = float(given.sum())
    if not total > 0:
        return nothing(wide.shape[1])
    mean = given @ wide / total
    off = wide - mean
    return Moments(total, mean, off.T @ (off * given[:, None]))


def nothing(features: int) -> Moments:
    """Return the moments of no rows."""
    return Moments(0.0, np.zeros(features), np.zeros((features, features)))


def merge(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all rows together; there must be a part."""
    found = iter(parts)
    whole = next(found, None) or nothing(0)
    for part in found:
        weight = whole.weight + part.weight
        if part.weight > 0:
            step = part.mean - whole.mean
            mean = whole.mean + step * (part.weight / weight)
            cross = np.outer(step, step) * (whole.weight * part.weight / weight)
            whole = Moments(weight, mean, whole.comoment + part.comoment + cross)
    return whole
