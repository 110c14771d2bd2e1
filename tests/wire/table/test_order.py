"""Time put right: days that roll over, midnights with the old date, leaps, broken stamps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bimetal.wire.table.clock import period_of
from bimetal.wire.table.order import fill_broken, find_leaps, mend_midnights, roll_days, share_behind
from bimetal.wire.table.stamp import DAY_NS

H = 3600 * 10**9


def hours(*values: float) -> np.ndarray:
    return (np.array(values) * H).astype(np.int64)


def test_days_roll_over_wherever_the_time_of_day_starts_anew() -> None:
    assert (roll_days(hours(22, 23, 0, 1, 23, 0), 0) // H).tolist() == [22, 23, 24, 25, 47, 48]


def test_days_roll_on_from_the_last_batch() -> None:
    assert (roll_days(hours(1, 2), int(hours(47)[0])) // H).tolist() == [49, 50]
    assert (roll_days(hours(23), int(hours(46)[0])) // H).tolist() == [47]


@given(st.lists(st.integers(1, 11 * 3600), min_size=1, max_size=50), st.integers(0, 50))
def test_rolled_days_split_anywhere_are_the_whole(steps: list[int], cut: int) -> None:
    true = np.cumsum(steps) * 10**9
    daily = true % DAY_NS
    whole = roll_days(daily, int(daily[0]))
    cut = min(cut, len(true))
    first = roll_days(daily[:cut], int(daily[0]))
    second = roll_days(daily[cut:], int(first[-1]) if cut else int(daily[0]))
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(np.diff(whole), np.diff(true))


def test_a_midnight_with_the_old_date_ends_its_day() -> None:
    day = hours(23, 23.5, 0, 24.5)
    assert (mend_midnights(day, 0) / H).tolist() == [23, 23.5, 24, 24.5]
    assert (mend_midnights(hours(0, 24.5), int(hours(23.5)[0])) / H).tolist() == [24, 24.5]


def test_a_midnight_that_is_one_stays() -> None:
    for true in (hours(0, 1, 2), hours(23, 24, 25), hours(10, 0, 1)):
        np.testing.assert_array_equal(mend_midnights(true, 0), true)


def test_a_leap_ahead_is_not_believed() -> None:
    ns = hours(1, 2, 900000, 3, 4, 800000, 800001, 5)
    ok = np.ones(8, dtype=bool)
    assert find_leaps(ns, ok, H).tolist() == [True, True, False, True, True, False, False, True]
    assert find_leaps(hours(900000, 3, 4), ok[:3], H, int(hours(2)[0])).tolist() == [False, True, True]


def test_a_clock_set_back_for_good_is_believed() -> None:
    ns = hours(*range(1000, 1010), *range(10))
    assert find_leaps(ns, np.ones(20, dtype=bool), H).all()


def test_a_row_without_a_time_has_that_of_the_row_before() -> None:
    ok = np.array([False, True, False, False, True])
    assert fill_broken(hours(0, 5, 0, 0, 7), ok, 42).tolist() == [42, *hours(5, 5, 5, 7)]


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 50)))
def test_the_share_behind_counts_rows_after_later_ones(ns: np.ndarray) -> None:
    behind = sum(ns[i] < ns[: i + 1].max() for i in range(len(ns)))
    assert share_behind(ns, None) == pytest.approx(behind / len(ns))
    codes = np.arange(len(ns)) % 3
    apart = sum(ns[i] < ns[: i + 1][codes[: i + 1] == codes[i]].max() for i in range(len(ns)))
    assert share_behind(ns, codes) == pytest.approx(apart / len(ns))


@pytest.mark.parametrize(
    ("steps", "period"),
    [([5, 5, 5, 500], 5), ([0, 0, 3, 0, 0, 3, 0, 0, 3], 1), ([0, 0], 0), ([], 0), ([-1, 4, 4], 4)],
)
def test_the_usual_step(steps: list[int], period: int) -> None:
    assert period_of(np.array(steps, dtype=np.int64)) == period
