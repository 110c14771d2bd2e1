"""Moments: merging is pooling, however the readings were split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.federate.moments import Moments, merge_all, moments_of, nothing
from bimetal.nouns.errors import BadInput
from tests.federate.given import readings

ROWS = np.concatenate([readings(k) for k in range(3)])


def test_moments_are_mean_and_covariance() -> None:
    found = moments_of(ROWS)
    np.testing.assert_allclose(found.mean, ROWS.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(ROWS.T, bias=True), rtol=1e-12)
    np.testing.assert_allclose(found.variance, ROWS.var(axis=0), rtol=1e-12)


@given(st.lists(st.integers(0, len(ROWS)), max_size=8))
def test_merged_parts_are_the_whole(cuts: list[int]) -> None:
    parts = [moments_of(part) for part in np.split(ROWS, sorted(cuts))]
    merged, whole = merge_all(parts, 3), moments_of(ROWS)
    assert merged.count == whole.count
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(merged.products, whole.products, rtol=1e-10)


def test_a_large_offset_costs_no_precision() -> None:
    shifted = ROWS + 1e9
    merged = merge_all([moments_of(p) for p in np.split(shifted, 10)], 3)
    np.testing.assert_allclose(merged.covariance, np.cov(shifted.T, bias=True), rtol=1e-6)


def test_nothing_changes_nothing() -> None:
    whole = moments_of(ROWS)
    for merged in (whole.merge(nothing(3)), nothing(3).merge(whole)):
        np.testing.assert_array_equal(merged.mean, whole.mean)
        np.testing.assert_array_equal(merged.products, whole.products)
    assert nothing(3).merge(nothing(3)).count == 0
    assert not nothing(2).covariance.any()


def test_rows_with_gaps_or_infinities_are_left_out() -> None:
    rows = ROWS.copy()
    rows[3, 1], rows[5, 2], rows[7] = np.nan, np.inf, -np.inf
    assert moments_of(rows).count == len(ROWS) - 3
    np.testing.assert_array_equal(moments_of(rows).mean, moments_of(np.delete(rows, [3, 5, 7], axis=0)).mean)
    assert moments_of(np.full((4, 2), np.nan)).count == 0


@pytest.mark.parametrize(("mean", "products"), [((2,), (3, 3)), ((2,), (2,)), ((2, 1), (2, 2))])
def test_shapes_that_do_not_fit_are_refused(mean: tuple[int, ...], products: tuple[int, ...]) -> None:
    with pytest.raises(BadInput):
        Moments(1.0, np.zeros(mean), np.zeros(products))
