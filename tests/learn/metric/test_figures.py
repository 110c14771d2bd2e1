"""Figures: what each means over devices, and intervals that are drawn, sown and sober."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from bimetal.learn.metric.blame import Blame
from bimetal.learn.metric.figures import count_all, figures_of, intervals
from bimetal.learn.metric.track import Track

DAY_S = 86_400.0


def track(seed: int = 0, rows: int = 1440, name: str = "a", skill: float = 2.0) -> Track:
    """A day of one device with four events."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(rows, np.int64)
    for first in range(100, rows, rows // 4):
        labels[first : first + 30] = 1
    score = rng.random(rows) + skill * labels * rng.random(rows)
    return Track(name, labels, score, score > 1, DAY_S, 20)


def test_devices_count_alike_in_ranks_and_by_rows_in_alarms() -> None:
    one, two = track(1), track(2, rows=600)
    alone = [figures_of([t], 1.0) for t in (one, two)]
    both = figures_of([one, two], 1.0)
    assert both.vus_pr == pytest.approx((alone[0].vus_pr + alone[1].vus_pr) / 2)
    assert both.recall == pytest.approx(count_all([one, two]).found / count_all([one, two]).events)


def test_false_alarms_are_told_by_healthy_day_and_beside_the_promise() -> None:
    labels = np.zeros(1000, np.int64)
    labels[:500] = 1
    alarm = np.zeros(1000, bool)
    alarm[[600, 700, 800]] = True
    told = figures_of([Track("a", labels, alarm.astype(float), alarm, 2 * DAY_S, 10)], 2.0)
    assert told.false_per_day == pytest.approx(3.0)
    assert told.kept == pytest.approx(1.5)


def test_a_delay_is_in_seconds() -> None:
    labels, alarm = np.zeros(100, np.int64), np.zeros(100, bool)
    labels[50:80] = 1
    alarm[57] = True
    assert figures_of([Track("a", labels, alarm * 1.0, alarm, 1000.0, 5)], 1.0).delay_s == pytest.approx(70)


def test_what_cannot_be_measured_is_not_a_number() -> None:
    quiet = Track("a", np.zeros(50, np.int64), np.zeros(50), np.zeros(50, bool), 50.0, 5)
    told = figures_of([quiet], 1.0)
    assert np.isnan([told.vus_pr, told.f1, told.mar, told.recall, told.delay_s, told.nab, told.hit_100]).all()
    assert told.far == told.false_per_day == 0


def test_blame_is_measured_where_it_is_known() -> None:
    share = np.tile(np.array([0.2, 0.8], np.float32), (1440, 1))
    known = Track(
        **{f: getattr(track(), f) for f in ("device", "labels", "score", "alarm", "seconds", "margin")},
        share=share,
        blames=(Blame(100, 120, (1,)), Blame(500, 510, (0,))),
    )
    told = figures_of([known, track(3)], 1.0)
    assert (told.hit_100, told.top_1) == (0.5, 0.5)


def test_intervals_are_the_same_for_a_seed_and_hold_the_figure() -> None:
    tracks = [track(1), track(2, name="b")]
    first, again, other = (intervals(tracks, 1.0, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    told = asdict(figures_of(tracks, 1.0))
    for name in ("vus_pr", "auc_pr", "auc_roc", "f1", "mar"):
        low, high = first[name]
        assert low <= told[name] <= high
        assert low < high


def test_more_data_make_it_surer() -> None:
    few, many = (intervals([track(5, rows=n)], 1.0, 0)["f1"] for n in (1440, 1440 * 16))
    assert many[1] - many[0] < few[1] - few[0]


def test_events_are_never_cut() -> None:
    tracks = [track(seed, rows=400, name=str(seed)) for seed in range(6)]
    low, high = intervals(tracks, 1.0, 0)["recall"]
    assert 0 <= low <= high <= 1


def test_nothing_is_drawn_from_too_little() -> None:
    labels = np.array([0, 1], np.int64)
    assert intervals([Track("a", labels, np.ones(2), np.ones(2, bool), 2.0, 1)], 1.0, 0) == {}
