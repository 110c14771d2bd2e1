"""Rivals: what any detector has to beat, each without look-ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.detect.series import Series
from bimetal.learn.metric.baseline import baselines

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Said:
    """What a detector said about every row: score (n,), alarm (n,), shares (n, s) where it has them.

    `learn_s` and `run_s` are what learning and scoring took.
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
    for name, said in baselines(series.values, series.learn, rate, seed=0):
        yield name, Said(said.score, said.alarm, said.share)
