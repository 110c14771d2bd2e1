"""Trend: a straight line through points of which some are far off, and how sure its slope is.

Theil (1950) and Sen (1968): the slope is the median of the slopes between all pairs of points, and its
interval is between two of them, by how Kendall's statistic would vary without any trend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_POINTS = 240
_Z90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Trend:
    """A line: `level` at the last point and `slope` a unit of x, which lies in `low`..`high` (90 %).

    `spread` is how far above the line the busiest tenth of the points lie.
    """

    level: float
    slope: float
    low: float
    high: float
    spread: float

    @property
    def sure(self) -> bool:
        """Whether it rises or falls for certain, and not by chance."""
        return self.low > 0.0 or self.high < 0.0


def trend_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> Trend:
    """Return the trend of points (n,) with x ascending, n at least 1; with fewer than 3, it is flat."""
    every = max(1, -(-len(x) // _MOST_POINTS))
    x, y = x[::-1][::every][::-1], y[::-1][::every][::-1]
    first, second = np.triu_indices(len(x), 1)
    apart = x[second] - x[first]
    known = apart > 0
    slopes = np.sort((y[second] - y[first])[known] / apart[known])
    if len(x) < 3 or not len(slopes):
        middle = float(np.median(y))
        return Trend(middle, 0.0, -math.inf, math.inf, float(np.quantile(y - middle, 0.9)))
    n = len(x)
    width = _Z90 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(round((len(slopes) - width) / 2) - 1, 0)
    high = min(round((len(slopes) + width) / 2), len(slopes) - 1)
    slope = float(np.median(slopes))
    off = y - slope * (x - x[-1])
    level = float(np.median(off))
    return Trend(level, slope, float(slopes[low]), float(slopes[high]), float(np.quantile(off - level, 0.9)))
