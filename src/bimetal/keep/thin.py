"""Thin: fewer points for the same picture: first, last, smallest and largest of each stretch of time.

The method is M4 (Jugel, Jerzak, Hackenbroich, Markl: "M4: A Visualization-Oriented Time Series Data
Aggregation", VLDB 2014), with missing values kept as missing. Of points thinned before, by the same
stretches, it keeps what it would keep of all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def m4(
    time_ns: NDArray[np.int64],
    values: NDArray[np.float64],
    stretches: int,
    window: tuple[int, int] | None = None,
) -> NDArray[np.intp]:
    """Return the row numbers to draw, in order: at most five for each of the equal stretches of time.

    `time_ns` (n,) never goes back, `values` (n,). The stretches divide `window`, first and last
    nanosecond, which holds all times; not given, it is that of the rows. Of a stretch with missing
    values one of those is kept as well, so that a gap stays a gap. All rows are returned when there
    are no more than four a stretch.
    """
    rows = len(time_ns)
    if rows <= 4 * stretches:
        return np.arange(rows)
    first, last = window or (int(time_ns[0]), int(time_ns[-1]))
    after = (time_ns - first).view(np.uint64)  # exact however far apart
    stretch = np.minimum(after / max(last - first, 1) * stretches, stretches - 1).astype(np.int64)
    missing = np.flatnonzero(~np.isfinite(values))
    seen = np.flatnonzero(np.isfinite(values))
    by_value = seen[np.lexsort((values[seen], stretch[seen]))]
    picks = (
        *_ends(stretch[seen], seen),
        *_ends(stretch[by_value], by_value),
        *_ends(stretch[missing], missing)[:1],
    )
    return np.unique(np.concatenate(picks))


def _ends(stretch: NDArray[np.int64], rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    turn = np.flatnonzero(np.diff(stretch)) + 1
    first = np.concatenate((np.zeros(min(len(rows), 1), np.intp), turn))
    last = np.concatenate((turn - 1, np.full(min(len(rows), 1), len(rows) - 1, np.intp)))
    return rows[first], rows[last]
