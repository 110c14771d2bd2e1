"""Moments add up over any parts, and weigh rows as told."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.moments import merge, moments_of, nothing


def test_parts_come_to_the_whole() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 4)) @ np.diag([1, 10, 0.1, 3]) + 50
    whole = merge(moments_of(part) for part in np.split(rows, [10, 11, 200]))
    assert whole.weight == 300
    np.testing.assert_allclose(whole.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(whole.covariance, np.cov(rows.T, bias=True), rtol=1e-9)


def test_a_weight_is_a_number_of_rows() -> None:
    rows = np.random.default_rng(1).normal(size=(20, 2))
    weight = np.arange(20.0) % 3
    one, other = moments_of(rows, weight), moments_of(np.repeat(rows, weight.astype(int), axis=0))
    assert one.weight == other.weight
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-10)


@pytest.mark.parametrize("where", ["before", "after", "alone"])
def test_nothing_changes_nothing(where: str) -> None:
    some = moments_of(np.random.default_rng(2).normal(size=(9, 3)))
    parts = {"before": [nothing(3), some], "after": [some, nothing(3)], "alone": [nothing(3)]}[where]
    whole = merge(parts)
    assert whole.weight == sum(p.weight for p in parts)
    assert not moments_of(np.ones((4, 3)), np.zeros(4)).covariance.any()
