"""Plots of the page of `bimetal eval`, as inline SVG: bars, curves, and scores over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from bimetal.cli.eval_said import RATE, written
from bimetal.cli.labelled import DeviceRows
from bimetal.keep.event_line import time_text
from bimetal.learn.metric.count import Labels, runs_of
from bimetal.learn.metric.curve import Scores, precision_recall
from bimetal.wire.table.shape import LEAST_CALENDAR_NS, length

WIDTH, HEIGHT = 1000, 150
MOST_POINTS = 900
CURVE_POINTS = 300


def bars(rows: Sequence[tuple[str, float, tuple[float, float] | None]]) -> str:
    """Draw figures between 0 and 1 by name, each with the interval it lies in."""
    step, left, wide = 34, 4, 380
    drawn: list[str] = []
    for k, (name, value, between) in enumerate(rows):
        y = k * step
        size = 0.0 if math.isnan(value) else value * (wide - 60)
        drawn.append(f'<text x="{left}" y="{y + 11}">{escape(name)}</text>')
        drawn.append(
            f'<rect class="{"fill" if k == 0 else "other"}" x="{left}" y="{y + 16}" width="{size:.1f}" '
            f'height="10" rx="3"/>'
        )
        reach = value
        if between:
            low, high = (left + v * (wide - 60) for v in between)
            drawn.append(_whisker(low, high, y))
            reach = max(value, between[1])
        words = "-" if math.isnan(value) else f"{value:.3f}"
        at = left + 8 + (0.0 if math.isnan(reach) else reach * (wide - 60))
        drawn.append(f'<text x="{at:.1f}" y="{y + 25}">{words}</text>')
    return _svg(wide, len(rows) * step, "".join(drawn), "VUS-PR of every detector")


def rates(rows: Sequence[tuple[str, float, tuple[float, float] | None]], promised: float) -> str:
    """Draw false alarms a day by name on a scale of powers of ten, and the promise as a line."""
    there = [v for _, value, apart in rows for v in (value, *(apart or ())) if v > 0] + [promised]
    low = math.floor(math.log10(min(there))) - 1
    span = math.ceil(math.log10(max(there)) + 0.01) - low
    step, left, wide = 34, 4, 380

    def across(value: float) -> float:
        return left + max(math.log10(value) - low, 0.0) / span * (wide - 84) if value > 0 else float(left)

    drawn: list[str] = []
    for k, (name, value, apart) in enumerate(rows):
        y, end = k * step, across(value)
        drawn.append(f'<text x="{left}" y="{y + 11}">{escape(name)}</text>')
        kind = "fill" if k == 0 else "other"
        drawn.append(
            f'<rect class="{kind}" x="{left}" y="{y + 16}" width="{end - left:.1f}" height="10" rx="3"/>'
        )
        if apart and apart[0] < apart[1]:
            drawn.append(_whisker(across(apart[0]), across(apart[1]), y))
            end = max(end, across(apart[1]))
        drawn.append(f'<text x="{end + 8:.1f}" y="{y + 25}">{written(value, RATE)}</text>')
        drawn.append(f'<path class="promise" d="M{across(promised):.1f} {y + 14}v14"/>')
    return _svg(wide, len(rows) * step, "".join(drawn), "False alarms a day of every detector")


def _whisker(low: float, high: float, y: float) -> str:
    return (
        f'<path class="whisker" d="M{low:.1f} {y + 21}H{high:.1f}M{low:.1f} {y + 18}v6'
        f'M{high:.1f} {y + 18}v6"/>'
    )


def curves(tracks: Sequence[tuple[Labels, Scores]]) -> str:
    """Draw precision over recall of all rows together."""
    labels = np.concatenate([y for y, _ in tracks])
    recall, precision = precision_recall(labels, np.concatenate([s for _, s in tracks]))
    some = np.unique(np.linspace(0, len(recall) - 1, CURVE_POINTS).astype(int))
    side, tall, left, top = 300, 250, 34, 22
    points = [
        f"{left + r * side:.1f} {top + (1 - p) * tall:.1f}"
        for r, p in zip(recall[some].tolist(), precision[some].tolist(), strict=True)
    ]
    low = top + tall
    chance = top + (1 - float((labels > 0).mean())) * tall
    ticks = "".join(
        f'<path class="grid" d="M{left} {top + (1 - t) * tall:.1f}h{side}"/>'
        f'<text x="{left - 6}" y="{top + (1 - t) * tall + 4:.1f}" text-anchor="end">{t:g}</text>'
        f'<text x="{left + t * side:.1f}" y="{low + 16:.1f}" text-anchor="middle">{t:g}</text>'
        for t in (0, 0.5, 1)
    )
    body = (
        f'{ticks}<path class="limit" d="M{left} {chance:.1f}h{side}"/>'
        f'<path class="line" d="M{"L".join(points)}"/>'
        f'<text x="{left + side}" y="{low + 32:.1f}" text-anchor="end">recall</text>'
        f'<text x="{left}" y="10">precision</text>'
    )
    return _svg(left + side + 12, int(low + 40), body, "Precision over recall")


def timeline(device: DeviceRows) -> str:
    """Draw a device's scores over time, the highest of every stretch, with what was wrong and the alarms."""
    x, track = _across(device.time_ns), device.track
    top = math.log1p(max(float(track.score.max(initial=0.0)), 2.0))
    bands = "".join(_spans(x, track.labels > 0, '<rect class="bad-band" x="{:.1f}" y="0" width="{:.1f}" '
                                                 f'height="{HEIGHT}"/>'))  # fmt: skip
    alarms = "".join(
        _spans(
            x,
            track.alarm,
            f'<rect class="alarm" x="{{:.1f}}" y="{HEIGHT + 3}" width="{{:.1f}}" height="6"/>',
        )
    )
    at, score = _highest(x, track.score)
    height = HEIGHT * (1 - np.log1p(np.maximum(score, 0)) / top)
    line = "L".join(f"{a:.1f} {h:.1f}" for a, h in zip(at.tolist(), height.tolist(), strict=True))
    limit = HEIGHT * (1 - math.log1p(1.0) / top)
    first, last = int(device.time_ns[0]), int(device.time_ns[-1])
    calendar = first >= LEAST_CALENDAR_NS
    begin, end = (_moment(first), _moment(last)) if calendar else ("0", length((last - first) / 1e9))
    body = (
        f'{bands}<path class="grid" d="M0 {HEIGHT}H{WIDTH}"/><path class="limit" d="M0 {limit:.1f}H{WIDTH}"/>'
        f'<path class="line" d="M{line}"/>{alarms}'
    )
    drawn = _svg(WIDTH, HEIGHT + 12, body, f"Scores of {track.device} over time", stretched=True)
    return f'{drawn}<div class="ends"><span>{begin}</span><span>{end}</span></div>'


def _moment(time_ns: int) -> str:
    """Write an instant as people do, to the second."""
    return time_text(time_ns // 10**9 * 10**9).replace("T", " ").removesuffix("Z")


def _across(time_ns: NDArray[np.int64]) -> Scores:
    """Put instants between 0 and the width; rows that all bear one time stand side by side."""
    since = (time_ns - time_ns[0]).astype(np.float64)
    if since[-1] <= 0:
        since = np.arange(len(since), dtype=np.float64)
    return since / max(float(since[-1]), 1.0) * WIDTH


def _highest(x: Scores, score: Scores) -> tuple[Scores, Scores]:
    """Keep the highest score of every stretch, so that no peak is lost."""
    edges = np.unique(np.linspace(0, len(x), MOST_POINTS + 1).astype(int))[:-1]
    return x[edges], np.maximum.reduceat(score, edges)


def _spans(x: Scores, flags: NDArray[np.bool_], form: str) -> list[str]:
    """Draw every run of flags, each at least as wide as can be seen; those that touch are one."""
    drawn: list[list[float]] = []
    for first, last in runs_of(flags):
        begin, end = float(x[first]), max(float(x[last]), float(x[first]) + 1.5)
        if drawn and begin <= drawn[-1][1] + 0.3:
            drawn[-1][1] = max(end, drawn[-1][1])
        else:
            drawn.append([begin, end])
    return [form.format(begin, end - begin) for begin, end in drawn]


def _svg(width: int, height: int, body: str, label: str, *, stretched: bool = False) -> str:
    how = ' class="time" preserveAspectRatio="none"' if stretched else ""
    name = escape(label, quote=True)
    return f'<svg{how} viewBox="0 0 {width} {height}" role="img" aria-label="{name}">{body}</svg>'
