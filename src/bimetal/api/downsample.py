"""Fewer points for the same picture: first, last, smallest and largest of each stretch of time.

The method is M4 (Jugel, Jerzak, Hackenbroich, Markl: "M4: A Visualization-Oriented Time
Series Data Aggregation", VLDB 2014), with missing values kept as missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GAP_PERIODS = 3.0


def m4(time_ns: NDArray[np.int64], values: NDArray[np.float64], stretches: int) -> NDArray[np.intp]:
    """Return the row numbers to draw, in order: at most five for each of the equal stretches of time.

    `time_ns` (n,) never goes back, `values` (n,). Of a stretch with missing values one of
    those is kept as well, so that a gap stays a gap. All rows are returned when there are
    no more than four a stretch.
    """
    rows = len(time_ns)
    if rows <= 4 * stretches:
        return np.arange(rows)
    span = max(int(time_ns[-1]) - int(time_ns[0]), 1)
    stretch = np.minimum((time_ns - time_ns[0]) / span * stretches, stretches - 1).astype(np.int64)
    missing = np.flatnonzero(~np.isfinite(values))
    seen = np.flatnonzero(np.isfinite(values))
    by_value = seen[np.lexsort((values[seen], stretch[seen]))]
    picks = (
        *_ends(stretch[seen], seen),
        *_ends(stretch[by_value], by_value),
        *_ends(stretch[missing], missing)[:1],
    )
    return np.unique(np.concatenate(picks))


def with_gaps(
    time_ns: NDArray[np.int64], values: NDArray[np.float64], period_ns: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the same readings with one missing value set into every silence of over three periods.

    A period of zero is estimated as the median step; fewer than three rows are left alone.
    """
    step = np.diff(time_ns)
    if len(step) < 2:
        return time_ns, values
    period_ns = period_ns or float(np.median(step))
    silent = np.flatnonzero(step > GAP_PERIODS * period_ns) if period_ns > 0 else np.empty(0, np.intp)
    if not len(silent):
        return time_ns, values
    marks = time_ns[silent] + int(period_ns)
    return np.insert(time_ns, silent + 1, marks), np.insert(values, silent + 1, np.nan)


def _ends(stretch: NDArray[np.int64], rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    turn = np.flatnonzero(np.diff(stretch)) + 1
    first = np.concatenate((np.zeros(min(len(rows), 1), np.intp), turn))
    last = np.concatenate((turn - 1, np.full(min(len(rows), 1), len(rows) - 1, np.intp)))
    return rows[first], rows[last]
