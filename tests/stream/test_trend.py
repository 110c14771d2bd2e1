"""A line through points: the slope, how sure it is, and that a few wild points change nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bimetal.stream.trend import trend_of


def test_a_line_is_found_again() -> None:
    x = np.arange(50.0)
    found = trend_of(x, 3.0 + 2.0 * x)
    assert (found.level, found.slope, found.low, found.high) == pytest.approx((101.0, 2.0, 2.0, 2.0))
    assert found.sure


def test_a_quarter_of_wild_points_changes_little() -> None:
    x = np.arange(60.0)
    y = 10.0 + 0.5 * x
    y[::4] += 1e6
    found = trend_of(x, y)
    assert found.slope == pytest.approx(0.5, rel=0.2)
    assert found.level == pytest.approx(39.5, rel=0.05)


def test_the_interval_holds_the_slope_nine_times_of_ten() -> None:
    x, held = np.arange(40.0), 0
    for seed in range(300):
        noise = np.random.default_rng(seed).normal(0, 5, 40)
        found = trend_of(x, 0.3 * x + noise)
        held += found.low <= 0.3 <= found.high
    assert 0.86 <= held / 300 <= 0.95


def test_noise_alone_is_no_trend_nine_times_of_ten() -> None:
    sure = sum(trend_of(np.arange(40.0), np.random.default_rng(s).normal(0, 1, 40)).sure for s in range(300))
    assert sure / 300 <= 0.14


@pytest.mark.parametrize("n", [1, 2])
def test_two_points_tell_nothing(n: int) -> None:
    found = trend_of(np.arange(float(n)), np.arange(float(n)) * 7)
    assert (found.slope, found.low, found.high) == (0.0, -math.inf, math.inf)
    assert not found.sure


def test_points_at_one_place_have_no_slope() -> None:
    found = trend_of(np.zeros(9), np.arange(9.0))
    assert (found.level, found.slope) == (4.0, 0.0)


def test_of_many_points_the_last_is_always_looked_at() -> None:
    x = np.arange(1000.0)
    found = trend_of(x, np.where(x == 999, 5.0, x * 0.0))
    assert found.level == 0.0
    assert trend_of(x, x).level == 999.0
