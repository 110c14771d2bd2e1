"""How many known troubles are among the moments that training names. Run: python -m bench.named.

Every file of NAB is learned from as a whole, with nothing said of its labels. Counted are labelled windows
that one of its moments meets, and moments that meet a window; beside them, moments as long anywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.detect.__main__ import PROMISE_ROWS, data_folder
from bench.detect.series import SETS, Series
from bench.detect.shipped import batch_of
from bench.feedback import taught
from bimetal.learn.metric.count import runs_of

DRAWINGS = 20
Stretches = Sequence[tuple[int, int]]


def met(windows: Stretches, moments: Stretches) -> NDArray[np.int64]:
    """Return how many windows a moment meets, and how many moments meet a window; first and last rows."""
    met_by = [[a <= d and c <= b for c, d in moments] for a, b in windows]
    meet = np.array(met_by, bool).reshape(len(windows), len(moments))
    return np.array([meet.any(axis=1).sum(), meet.any(axis=0).sum()])


def named(series: Series) -> Stretches:
    """Return first and last rows of the moments that are named of a whole series."""
    batch = batch_of(series, slice(None))
    found = taught(batch, "1/week", 604_800 / PROMISE_ROWS).card.standouts
    ends = np.array([[m.begin_ns, m.end_ns] for m in found], np.int64).reshape(-1, 2)
    return [(int(a), int(b)) for a, b in np.searchsorted(batch.time_ns, ends)]


def main() -> int:
    """Print the sums over all files."""
    rng = np.random.default_rng(0)
    found, chance, many = np.zeros(2), np.zeros(2), np.zeros(2, int)
    for series in SETS["nab"](data_folder()):
        windows, moments = runs_of(series.labels != 0), named(series)
        found += met(windows, moments)
        many += [len(windows), len(moments)]
        for _ in range(DRAWINGS):
            begins = [int(rng.integers(max(len(series.labels) - (b - a), 1))) for a, b in moments]
            drawn = [(k, k + b - a) for k, (a, b) in zip(begins, moments, strict=True)]
            chance += met(windows, drawn) / DRAWINGS
    print(f"windows met: {found[0]:.0f} of {many[0]}, by chance {chance[0]:.0f}")
    print(f"moments that meet one: {found[1]:.0f} of {many[1]}, by chance {chance[1]:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
