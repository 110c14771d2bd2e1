"""Importance: a signal that the others tell goes first, one that nobody tells goes last."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.shrink.importance import WHITEN, order_by_importance


def whiten_of(covariance: np.ndarray, bands: int = 3) -> dict[str, np.ndarray]:
    """Learned directions, as the detector keeps them: W with W'W the inverse of the covariance."""
    w = np.linalg.cholesky(np.linalg.inv(covariance)).T
    return {WHITEN: np.stack([w] * bands).astype(np.float32)}


def test_the_first_to_go_is_the_one_that_the_others_tell() -> None:
    rng = np.random.default_rng(1)
    a, b, c = rng.normal(size=(3, 4000))
    signals = np.stack([a, b, c, a + b + 0.1 * rng.normal(size=4000)])
    order = order_by_importance(whiten_of(np.cov(signals)), 4)
    assert order[-1] == 3
    assert set(order[:3]) == {0, 1, 2}


def test_of_two_that_are_alike_one_stays() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 4000))
    signals = np.stack([a, a + 0.05 * rng.normal(size=4000), b])
    order = order_by_importance(whiten_of(np.cov(signals)), 3)
    assert len({0, 1} & set(order[:2])) == 1
    assert 2 in order[:2]


def test_scales_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    signals = rng.normal(size=(5, 2000))
    signals[4] += 3 * signals[2]
    plain = order_by_importance(whiten_of(np.cov(signals)), 5)
    scaled = order_by_importance(whiten_of(np.cov(signals * np.array([[1], [100], [0.01], [7], [3]]))), 5)
    assert plain == scaled


def test_blocks_are_looked_at_side_by_side() -> None:
    rng = np.random.default_rng(4)
    signals = rng.normal(size=(6, 3000))
    signals[5] = signals[3] + signals[4] + 0.1 * signals[5]
    halves = [whiten_of(np.cov(signals[:3]), 1)[WHITEN][0], whiten_of(np.cov(signals[3:]), 1)[WHITEN][0]]
    both = {WHITEN: np.stack(halves * 3)}
    order = order_by_importance(both, 6)
    assert order[-1] == 5
    assert sorted(order) == list(range(6))
    assert sorted(order_by_importance(both, 5)) == list(range(5))


@pytest.mark.parametrize("signals", [0, 1, 4])
def test_without_relations_the_order_is_theirs(signals: int) -> None:
    assert order_by_importance({}, signals) == tuple(range(signals))


def test_signals_that_never_moved_do_not_break_it() -> None:
    values = {WHITEN: np.zeros((3, 4, 4), np.float32)}
    assert sorted(order_by_importance(values, 4)) == [0, 1, 2, 3]
