"""Tally: figures of one detector on one set, series by series."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.detect.rival import Said
from bench.detect.series import Series
from bimetal.learn.metric.blame import first_right, hit_rate
from bimetal.learn.metric.count import Count, Labels, count
from bimetal.learn.metric.curve import Scores, auc_pr, auc_roc, margin_of, vus_pr
from bimetal.learn.metric.nab import nab_board, nab_points, nab_score

HEAD = (
    f"{'':20s} VUS-PR worst    PR   ROC  found/events delay  false/day deliv/prom    F1   FAR   MAR"
    "  hits top-1   NAB  best   state bytes  k rows/s  learn s"
)


@dataclass(slots=True)
class Tally:
    """Figures of one detector on one set; `promised` is the rate of false alarms to a row."""

    promised: float
    vus: list[float] = field(default_factory=list[float])
    pr: list[float] = field(default_factory=list[float])
    roc: list[float] = field(default_factory=list[float])
    hits: list[float] = field(default_factory=list[float])
    top: list[float] = field(default_factory=list[float])
    scored: list[tuple[Labels, Scores]] = field(default_factory=list[tuple[Labels, Scores]])
    points: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    count: Count = field(default_factory=Count)
    days: float = 0.0
    rows: int = 0
    state_bytes: int = 0
    learn_s: float = 0.0
    run_s: float = 0.0

    def add(self, series: Series, said: Said) -> None:
        """Judge the rows that were not learned from."""
        rest = slice(series.learn, None)
        labels, score, alarm = series.labels[rest], said.score[rest], said.alarm[rest]
        self.count += count(labels, alarm)
        self.days += float((labels == 0).sum()) * series.period_s / 86_400
        self.rows += len(series.values)
        self.state_bytes = max(self.state_bytes, said.state_bytes)
        self.learn_s = max(self.learn_s, said.learn_s)
        self.run_s += said.run_s
        self.points.append(nab_points(labels, alarm))
        if labels.any():
            self.vus.append(vus_pr(labels, score, margin_of(series.values[:, 0])))
            self.pr.append(auc_pr(labels, score))
            self.roc.append(auc_roc(labels, score))
            self.scored.append((labels, score))
        if series.blame and said.share is not None:
            self.hits += hit_rate(series.blame, said.share)
            self.top += first_right(series.blame, said.share)

    @property
    def kept(self) -> float:
        """False alarms delivered for one promised."""
        return self.count.false_alarms / max(self.count.healthy_rows * self.promised, 1e-9)

    def line(self, name: str) -> str:
        """Return the figures as a line of the table."""
        c = self.count
        delay = f"{np.median(c.delays):5.0f}" if c.delays else "    -"
        hits, top = (f"{np.mean(v):.2f}" if v else "   -" for v in (self.hits, self.top))
        nab, best = f"{nab_score(self.points):5.1f}", f"{nab_board(self.scored):5.1f}"
        speed = f"{self.rows / self.run_s / 1e3:8.0f}" if self.run_s else "       -"
        vus, pr, roc = (np.mean(v) if v else float("nan") for v in (self.vus, self.pr, self.roc))
        worst = min(self.vus, default=float("nan"))
        return (
            f"{name:20s} {vus:6.3f} {worst:5.3f} {pr:5.3f} {roc:5.3f} {c.found:6d}/{c.events:<5d} {delay}"
            f" {c.false_alarms / max(self.days, 1e-9):10.3g} {self.kept:10.2f} {c.f1:5.3f} {c.far:5.1%}"
            f" {c.mar:5.1%}  {hits}  {top} {nab} {best}"
            f" {self.state_bytes or '-':>13} {speed} {self.learn_s:8.1f}"
        )
