"""Figures: the metrics of a detector over all tracks, and how far each can be trusted.

Never point-adjusted: a whole event does not count as found because of one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import reduce as fold

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.blame import first_right, hit_rate
from bimetal.learn.metric.count import Count, count
from bimetal.learn.metric.curve import auc_pr, auc_roc, vus_pr
from bimetal.learn.metric.nab import nab_board, nab_points, nab_score
from bimetal.learn.metric.track import Track

BLOCKS = 24
"""Into so many pieces of time all tracks are cut to be drawn from."""
MOST_ROWS = 2_000_000
"""So many rows are judged in all drawings together, the fewest drawings apart."""
DRAWINGS = (20, 100)
MARGINS = 12
"""So many margins are looked at in each drawing."""
LOW, HIGH = 5, 95


@dataclass(frozen=True, slots=True)
class Figures:
    """The metrics of one detector; NaN where there is nothing to measure it on.

    `vus_pr`, `auc_pr` and `auc_roc` are means over the devices that have faulty rows. `f1`, `far` (the
    part of healthy rows in alarm) and `mar` (the part of faulty rows not in alarm) count rows, `recall`
    events. `delay_s` is the median from an event's first row to its alarm. `false_per_day` counts the
    alarms that begin on a healthy row, for each device and healthy day; `kept` is that rate over the
    promised one. `nab` is at the threshold as shipped, `nab_board` at the best one for these labels.
    """

    vus_pr: float
    auc_pr: float
    auc_roc: float
    f1: float
    far: float
    mar: float
    recall: float
    delay_s: float
    false_per_day: float
    kept: float
    nab: float
    nab_board: float
    hit_100: float
    hit_150: float
    top_1: float


def count_all(tracks: Sequence[Track]) -> Count:
    """Return the counts of all tracks together."""
    return fold(lambda a, b: a + b, (count(t.labels, t.alarm) for t in tracks), Count())


def figures_of(tracks: Sequence[Track], promised_per_day: float, *, brief: bool = False) -> Figures:
    """Measure everything; `brief` leaves out what takes longest, and looks at fewer margins."""
    told = [t for t in tracks if t.labels.any()]
    each = [count(t.labels, t.alarm) for t in tracks]
    counts = fold(lambda a, b: a + b, each, Count())
    days = sum(t.healthy_days for t in tracks)
    rate = counts.false_alarms / days if days else float("nan")
    delays = [d * t.row_s for t, c in zip(tracks, each, strict=True) for d in c.delays]
    blamed = [(t.blames, t.share) for t in tracks if t.blames and t.share is not None]
    return Figures(
        vus_pr=_mean([vus_pr(t.labels, t.score, t.margin, few=MARGINS if brief else 0) for t in told]),
        auc_pr=_mean([auc_pr(t.labels, t.score) for t in told]),
        auc_roc=_mean([auc_roc(t.labels, t.score) for t in told if not t.labels.all()]),
        f1=counts.f1 if told else float("nan"),
        far=counts.far if counts.healthy_rows else float("nan"),
        mar=counts.mar if told else float("nan"),
        recall=counts.found / counts.events if counts.events else float("nan"),
        delay_s=float(np.median(delays)) if delays else float("nan"),
        false_per_day=rate,
        kept=rate / promised_per_day if promised_per_day else float("nan"),
        nab=nab_score([nab_points(t.labels, t.alarm) for t in tracks]),
        nab_board=nab_board([(t.labels, t.score) for t in told]) if not brief else float("nan"),
        hit_100=_mean([h for b, s in blamed for h in hit_rate(b, s)]),
        hit_150=_mean([h for b, s in blamed for h in hit_rate(b, s, 1.5)]),
        top_1=_mean([h for b, s in blamed for h in first_right(b, s)]),
    )


def intervals(tracks: Sequence[Track], promised_per_day: float, seed: int) -> dict[str, tuple[float, float]]:
    """Return between what each figure lies in 90 of 100 drawings, by name; absent where none could be drawn.

    A block bootstrap over time (Künsch, The jackknife and the bootstrap for general stationary
    observations, Annals of Statistics 17, 1989): all tracks are cut into pieces at healthy rows, and as
    many pieces are drawn with replacement. The seed decides what is drawn.
    """
    pieces = [(k, piece) for k, t in enumerate(tracks) for piece in _pieces(t, len(tracks))]
    rows = sum(len(t) for t in tracks)
    if len(pieces) < 4:
        return {}
    rng = np.random.default_rng(seed)
    drawings = int(np.clip(MOST_ROWS // max(rows, 1), *DRAWINGS))
    found: dict[str, list[float]] = {f.name: [] for f in fields(Figures)}
    for _ in range(drawings):
        drawn = [pieces[int(k)] for k in np.sort(rng.integers(0, len(pieces), len(pieces)))]
        kept = [
            tracks[k].rows(np.concatenate([piece for of, piece in drawn if of == k]))
            for k in sorted({of for of, _ in drawn})
        ]
        figures = figures_of(kept, promised_per_day, brief=True)
        for name, values in found.items():
            value: float = getattr(figures, name)
            if not np.isnan(value):
                values.append(value)
    return {
        name: (float(np.percentile(v, LOW)), float(np.percentile(v, HIGH)))
        for name, v in found.items()
        if len(v) > drawings // 2
    }


def _pieces(track: Track, tracks: int) -> list[NDArray[np.intp]]:
    """Cut a track into about equal pieces, each cut moved on to a healthy row, so that no event is cut."""
    count = max(BLOCKS // max(tracks, 1), 1)
    healthy = np.flatnonzero(track.labels == 0)
    wanted = np.linspace(0, len(track), count + 1)[1:-1]
    at = np.searchsorted(healthy, wanted)
    cuts = np.unique(healthy[at[at < len(healthy)]])
    return [p for p in np.split(np.arange(len(track)), cuts) if len(p)]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
