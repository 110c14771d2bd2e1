"""Metrics of detection: VUS-PR, ROC, found events, false alarms, F1 with FAR and MAR, NAB, hit rate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Count:
    """What alarms did on labelled rows; counts add up over series."""

    events: int = 0
    found: int = 0
    false_alarms: int = 0
    healthy_rows: int = 0
    hit: int = 0
    false: int = 0
    missed: int = 0
    delays: tuple[int, ...] = ()

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, f) + getattr(other, f) for f in self.__slots__))

    @property
    def f1(self) -> float:
        """Row by row."""
        return 2 * self.hit / max(2 * self.hit + self.false + self.missed, 1)

    @property
    def far(self) -> float:
        """The part of healthy rows in alarm."""
        return self.false / max(self.healthy_rows, 1)

    @property
    def mar(self) -> float:
        """The part of faulty rows not in alarm."""
        return self.missed / max(self.hit + self.missed, 1)


def runs_of(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last row of every run of true rows."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)]


def count(labels: Labels, alarm: NDArray[np.bool_]) -> Count:
    """Count found events, alarms that began on healthy rows, and rows."""
    bad = labels > 0
    events = runs_of(bad)
    delays = tuple(int(np.argmax(alarm[a : b + 1])) for a, b in events if alarm[a : b + 1].any())
    false_alarms = sum(not bad[a] for a, _ in runs_of(alarm))
    return Count(
        len(events),
        len(delays),
        false_alarms,
        int((~bad).sum()),
        int((bad & alarm).sum()),
        int((~bad & alarm).sum()),
        int((bad & ~alarm).sum()),
        delays,
    )


def auc_roc(labels: Labels, scores: Scores) -> float:
    """The chance that a faulty row scores above a healthy one; ties count half."""
    values, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(times) - (times - 1) / 2)[place]
    bad = labels > 0
    p, n = int(bad.sum()), int((~bad).sum())
    return float((rank[bad].sum() - p * (p + 1) / 2) / (p * n)) if p and n and len(values) else float("nan")


def vus_pr(labels: Labels, scores: Scores, most: int, thresholds: int = 250) -> float:
    """The volume under the precision-recall surface over label margins 0..`most`.

    Paparrizos and others, Volume under the surface, PVLDB 15, 2022; equal to the TSB-AD code to 1e-12.
    """
    bad = labels > 0
    events = runs_of(bad)
    if not events:
        return float("nan")
    n = len(scores)
    ranked = -np.sort(-scores)
    levels = ranked[np.linspace(0, n - 1, thresholds).astype(int)]
    above = np.searchsorted(-ranked, -levels, side="right")
    # The first level, from the strictest on, that a row reaches; the last level is the least score.
    level = np.searchsorted(-levels, -scores, side="left")
    inside = np.bincount(level[bad], minlength=thresholds).cumsum()
    whole = 0.0
    for margin in range(most + 1):
        rows, weight = _around(bad, events, margin)
        outside = np.bincount(level[rows], weight, minlength=thresholds).cumsum()
        hit, positives = inside + outside, bad.sum() + outside / 2
        peaks = np.sort([scores[a : b + 1].max() for a, b in _joined(events, margin, n)])
        seen = (len(peaks) - np.searchsorted(peaks, levels, side="left")) / len(peaks)
        recall = np.minimum(hit / positives, 1) * seen
        whole += float(np.sum(np.diff(np.concatenate([[0.0], recall])) * hit / above))
    return whole / (most + 1)


def _around(
    bad: NDArray[np.bool_], events: list[tuple[int, int]], margin: int
) -> tuple[NDArray[np.int64], Scores]:
    """Return the healthy rows near an event, and how much they count as part of it."""
    soft = np.zeros(len(bad))
    for a, b in events:
        after = np.arange(b + 1, min(b + margin // 2 + 1, len(bad)))
        before = np.arange(max(a - margin // 2, 0), a)
        soft[after] += np.sqrt(1 - (after - b) / max(margin, 1))
        soft[before] += np.sqrt(1 - (a - before) / max(margin, 1))
    rows = np.flatnonzero((soft > 0) & ~bad)
    return rows, np.minimum(soft[rows], 1.0)


def _joined(events: list[tuple[int, int]], margin: int, rows: int) -> list[tuple[int, int]]:
    half = margin // 2
    found: list[tuple[int, int]] = []
    first = max(events[0][0] - half, 0)
    for (_, last), (begins, _) in pairwise(events):
        if last + half < begins - half:
            found.append((first, last + half))
            first = begins - half
    return [*found, (first, min(events[-1][1] + half, rows - 1))]


def margin_of(series: Scores) -> int:
    """Return the dominant period of a series, found as TSB-AD does: the margin it uses for VUS."""
    x = series[:20000] - series[:20000].mean()
    power = np.abs(np.fft.rfft(x, 2 * len(x))) ** 2
    correlation = np.fft.irfft(power)[:401]
    if correlation[0] <= 0:
        return 125
    lags = correlation[3:] / correlation[0]
    peaks = np.flatnonzero((lags[1:-1] > lags[:-2]) & (lags[1:-1] > lags[2:])) + 1
    if not len(peaks):
        return 125
    best = int(peaks[np.argmax(lags[peaks])])
    return 125 if best < 3 or best > 300 else best + 3


def nab_points(labels: Labels, alarm: NDArray[np.bool_]) -> tuple[float, int]:
    """Return NAB's standard points of one series, and how many windows it has.

    A window counts 1 when an alarm begins at its first row and less later, -1 without one; an alarm that
    begins elsewhere costs up to .11. All series together: 0 for silence, 100 for perfection, as
    100 * (points / windows + 1) / 2. Lavin and Ahmad, Evaluating real-time anomaly detection algorithms,
    ICMLA 2015.
    """
    bad = labels > 0
    windows, begins = runs_of(bad), np.array([a for a, _ in runs_of(alarm)], np.int64)
    points = 0.0
    for a, b in windows:
        inside = begins[(begins >= a) & (begins <= b)]
        points += _sigmoid(-(b - inside[0] + 1) / (b - a + 1)) / _sigmoid(-1.0) if len(inside) else -1.0
    for at in begins[~bad[begins]].tolist():
        past = [(a, b) for a, b in windows if b < at]
        place = (at - past[-1][1]) / max(past[-1][1] - past[-1][0], 1) if past else 4.0
        points += 0.11 * (_sigmoid(place) if place <= 3 else -1.0)
    return points, len(windows)


def _sigmoid(place: float) -> float:
    return 2 / (1 + np.exp(5 * place)) - 1


def hit_rate(blame: tuple[tuple[int, int, tuple[int, ...]], ...], share: NDArray[np.float32]) -> list[float]:
    """Return for every event which part of its k signals is among the k largest mean shares.

    HitRate@100 %: Su and others, Robust anomaly detection for multivariate time series, KDD 2019.
    """
    found: list[float] = []
    for first, last, signals in blame:
        order = np.argsort(-share[first : last + 1].mean(axis=0), kind="stable")
        found.append(len(set(order[: len(signals)].tolist()) & set(signals)) / len(signals))
    return found
