"""Moments: what any number of readings come to for a mean and a covariance; mergeable, and no reading in it.

Merging: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
variances", COMPSTAT 1982; for several signals at once, Pébay, SAND2008-6212, 2008.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """How many rows, their mean (d,), and the sums of products of what they are off it (d, d).

    Raises BadInput when shapes do not fit together.
    """

    count: float
    mean: Floats
    products: Floats

    def __post_init__(self) -> None:
        signals = len(self.mean)
        if self.mean.shape != (signals,) or self.products.shape != (signals, signals):
            raise BadInput(
                f"a mean of shape {self.mean.shape} does not go with products of shape {self.products.shape}"
            )

    @property
    def covariance(self) -> Floats:
        """The covariance (d, d) with division by the number of rows; zeros when there are none."""
        return self.products / self.count if self.count else np.zeros_like(self.products)

    @property
    def variance(self) -> Floats:
        """The variance of each signal (d,)."""
        return np.diagonal(self.covariance)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both together."""
        count = self.count + other.count
        if not count:
            return self
        off = other.mean - self.mean
        share = other.count / count
        products = self.products + other.products + np.outer(off, off) * (self.count * share)
        return Moments(count, self.mean + off * share, products)


def moments_of(values: Floats) -> Moments:
    """Return the moments of rows (n, d); rows with a missing value are left out.

    Infinite values are left out too, for nothing that follows could make sense of them.
    """
    rows = values[np.isfinite(values).all(axis=1)]
    if not len(rows):
        return nothing(values.shape[1])
    mean = rows.mean(axis=0)
    off = rows - mean
    return Moments(float(len(rows)), mean, off.T @ off)


def nothing(signals: int) -> Moments:
    """Return the moments of no rows at all."""
    return Moments(0.0, np.zeros(signals), np.zeros((signals, signals)))


def merge_all(parts: Iterable[Moments], signals: int) -> Moments:
    """Merge one after the other; equal parts in equal order give equal bits."""
    whole = nothing(signals)
    for part in parts:
        whole = whole.merge(part)
    return whole
