"""Curve: how well scores rank faulty rows above healthy ones, whatever the threshold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.count import Labels, runs_of

Scores = NDArray[np.float64]


def auc_roc(labels: Labels, scores: Scores) -> float:
    """The chance that a faulty row scores above a healthy one; ties count half."""
    values, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(times) - (times - 1) / 2)[place]
    bad = labels > 0
    p, n = int(bad.sum()), int((~bad).sum())
    return float((rank[bad].sum() - p * (p + 1) / 2) / (p * n)) if p and n and len(values) else float("nan")


def auc_pr(labels: Labels, scores: Scores) -> float:
    """The average precision: the step-wise area under the precision-recall curve; NaN without faulty rows."""
    recall, precision = precision_recall(labels, scores)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision)) if len(recall) else float("nan")


def precision_recall(labels: Labels, scores: Scores) -> tuple[Scores, Scores]:
    """Return recall and precision at every threshold, the strictest first; empty without faulty rows."""
    bad = labels > 0
    if not bad.any():
        return np.zeros(0), np.zeros(0)
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.diff(scores[order], append=np.inf))
    hits = np.cumsum(bad[order])[ends]
    return hits / bad.sum(), hits / (ends + 1)


def vus_pr(labels: Labels, scores: Scores, most: int, thresholds: int = 250, few: int = 0) -> float:
    """The volume under the precision-recall surface over label margins 0..`most`.

    Paparrizos and others, Volume under the surface, PVLDB 15, 2022; equal to the TSB-AD code to 1e-12.
    With `few` only so many margins are looked at, close ones near 0, and those between lie on lines.
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
    every = np.arange(most + 1)
    margins = np.unique(np.geomspace(1, most + 1, few).round().astype(int) - 1) if few else every
    areas: list[float] = []
    for margin in margins.tolist():
        rows, weight = _around(bad, events, margin)
        outside = np.bincount(level[rows], weight, minlength=thresholds).cumsum()
        hit, positives = inside + outside, bad.sum() + outside / 2
        peaks = np.sort([scores[a : b + 1].max() for a, b in _joined(events, margin, n)])
        seen = (len(peaks) - np.searchsorted(peaks, levels, side="left")) / len(peaks)
        recall = np.minimum(hit / positives, 1) * seen
        areas.append(float(np.sum(np.diff(np.concatenate([[0.0], recall])) * hit / above)))
    return float(np.mean(np.interp(every, margins, areas)))


def _around(
    bad: NDArray[np.bool_], events: list[tuple[int, int]], margin: int
) -> tuple[NDArray[np.int64], Scores]:
    """Return the healthy rows near an event, and how much they count as part of it."""
    half = margin // 2
    near = [np.zeros(0, np.int64)]
    parts = [np.zeros(0)]
    for a, b in events:
        after = np.arange(b + 1, min(b + half + 1, len(bad)))
        before = np.arange(max(a - half, 0), a)
        near += [after, before]
        parts += [np.sqrt(1 - (after - b) / max(margin, 1)), np.sqrt(1 - (a - before) / max(margin, 1))]
    rows, place = np.unique(np.concatenate(near), return_inverse=True)
    soft = np.bincount(place, np.concatenate(parts), minlength=len(rows))
    kept = (soft > 0) & ~bad[rows]
    return rows[kept], np.minimum(soft[kept], 1.0)


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
