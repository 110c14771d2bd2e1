"""Fewer points, the same picture: extremes, ends and gaps survive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.api.downsample import m4, with_gaps

SECOND = 10**9


def naive(time_ns: np.ndarray, values: np.ndarray, stretches: int) -> set[int]:
    """The rows M4 must keep, found stretch by stretch (one of equal extremes will do)."""
    span = max(int(time_ns[-1] - time_ns[0]), 1)
    at = np.minimum((time_ns - time_ns[0]) / span * stretches, stretches - 1).astype(int)
    kept: set[int] = set()
    for stretch in np.unique(at):
        inside = [i for i in np.flatnonzero(at == stretch) if np.isfinite(values[i])]
        if inside:
            kept |= {inside[0], inside[-1]}
    return kept


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=300), st.integers(1, 12))
def test_each_stretch_keeps_its_ends_and_its_extremes(numbers: list[float], stretches: int) -> None:
    values = np.array(numbers)
    time_ns = np.arange(len(values), dtype=np.int64) * SECOND
    kept = m4(time_ns, values, stretches)
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= max(5 * stretches, len(values) if len(values) <= 4 * stretches else 0)
    assert naive(time_ns, values, stretches) <= set(kept.tolist())
    if np.isfinite(values).any():
        assert np.nanmin(values[kept]) == np.nanmin(values)
        assert np.nanmax(values[kept]) == np.nanmax(values)
    assert np.isnan(values[kept]).any() == np.isnan(values).any()


def test_a_single_spike_in_a_million_points_is_kept() -> None:
    values = np.zeros(1_000_000)
    values[765_432] = 9.0
    kept = m4(np.arange(1_000_000, dtype=np.int64), values, 300)
    assert 765_432 in kept
    assert len(kept) <= 5 * 300


def test_few_rows_are_left_alone() -> None:
    assert m4(np.arange(8, dtype=np.int64), np.arange(8.0), 2).tolist() == list(range(8))
    assert m4(np.empty(0, np.int64), np.empty(0), 2).tolist() == []


def test_rows_of_one_instant_are_one_stretch() -> None:
    kept = m4(np.zeros(50, np.int64), np.sin(np.arange(50.0)), 3)
    assert len(kept) <= 5


def test_infinity_counts_as_missing() -> None:
    values = np.array([0.0, np.inf, -np.inf, 1.0] * 20)
    kept = m4(np.arange(80, dtype=np.int64), values, 2)
    assert np.isfinite(values[kept]).any()
    assert (~np.isfinite(values[kept])).sum() == 2


def test_a_silence_of_over_three_periods_becomes_a_gap() -> None:
    time_ns = np.array([0, 1, 2, 6, 7], np.int64) * SECOND
    times, values = with_gaps(time_ns, np.arange(5.0), SECOND)
    assert times.tolist() == [0, SECOND, 2 * SECOND, 3 * SECOND, 6 * SECOND, 7 * SECOND]
    assert np.isnan(values).tolist() == [False, False, False, True, False, False]


@pytest.mark.parametrize("period_ns", [SECOND, 0])
def test_three_periods_are_no_gap_yet(period_ns: int) -> None:
    time_ns = np.array([0, 1, 2, 5, 6], np.int64) * SECOND
    assert len(with_gaps(time_ns, np.arange(5.0), period_ns)[0]) == 5


def test_an_unknown_period_is_the_usual_step() -> None:
    time_ns = np.array([0, 1, 2, 3, 30], np.int64) * SECOND
    assert np.isnan(with_gaps(time_ns, np.arange(5.0), 0)[1]).sum() == 1


def test_too_few_rows_have_no_gaps() -> None:
    assert len(with_gaps(np.array([0, 99 * SECOND]), np.arange(2.0), 0)[0]) == 2
    assert len(with_gaps(np.array([5, 5, 5]), np.arange(3.0), 0)[0]) == 3
