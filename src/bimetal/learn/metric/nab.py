"""NAB: the score of the Numenta Anomaly Benchmark, at a given threshold and as its board counts.

Lavin and Ahmad, Evaluating real-time anomaly detection algorithms, ICMLA 2015.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.count import Labels, runs_of
from bimetal.learn.metric.curve import Scores

THRESHOLDS = 200
"""So many thresholds are tried where the board's convention picks the best."""


def nab_points(labels: Labels, alarm: NDArray[np.bool_]) -> tuple[float, int]:
    """Return NAB's standard points of one series, and how many windows it has.

    A window counts 1 when an alarm begins at its first row and less later, -1 without one; an alarm that
    begins elsewhere costs up to .11, however long it lasts.
    """
    return _Windows(labels).points(alarm)


def nab_score(parts: Sequence[tuple[float, int]]) -> float:
    """Return the score of several series from their points: 0 for silence, 100 for perfection."""
    windows = sum(count for _, count in parts)
    return 50 * (sum(points for points, _ in parts) / windows + 1) if windows else float("nan")


def nab_board(tracks: Sequence[tuple[Labels, Scores]]) -> float:
    """Return the score with the board's choice of threshold: the one that suits these labels best.

    That is no figure to expect in use, where nobody knows the labels beforehand. An alarm that lasts
    counts once, where the board counts each of its rows.
    """
    every = np.concatenate([scores for _, scores in tracks]) if tracks else np.zeros(0)
    if not len(every):
        return float("nan")
    levels = [*np.unique(np.quantile(every, 1 - np.geomspace(1e-6, 1, THRESHOLDS))).tolist(), np.inf]
    windows = [_Windows(labels) for labels, _ in tracks]
    return max(
        nab_score([w.points(s >= level) for w, (_, s) in zip(windows, tracks, strict=True)])
        for level in levels
    )


class _Windows:
    """The windows of one series, and what a detection at each row outside of them costs."""

    def __init__(self, labels: Labels) -> None:
        self._windows = runs_of(labels > 0)
        self._cost = np.zeros(len(labels))
        cuts = [*(first for first, _ in self._windows), len(labels)]
        self._cost[: cuts[0]] = -1.0
        for (first, last), after in zip(self._windows, cuts[1:], strict=True):
            place = np.minimum(np.arange(1, after - last) / max(last - first, 1), 4.0)
            self._cost[last + 1 : after] = np.where(place > 3, -1.0, _sigmoid(place))

    def points(self, alarm: NDArray[np.bool_]) -> tuple[float, int]:
        """Return the points of alarms; the first that begins in a window counts, and all outside."""
        begins = np.diff(alarm.astype(np.int8), prepend=0) == 1
        points = 0.11 * float(self._cost[begins].sum())
        for first, last in self._windows:
            inside = np.flatnonzero(begins[first : last + 1])
            late = -(last - first - inside[0] + 1) / (last - first + 1) if len(inside) else 0.0
            points += float(_sigmoid(np.array(late)) / _sigmoid(np.array(-1.0))) if len(inside) else -1.0
        return points, len(self._windows)


def _sigmoid(place: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2 / (1 + np.exp(5 * place)) - 1
