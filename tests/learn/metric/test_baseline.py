"""Baselines: what each says, that none looks ahead, and that gaps do not stop them."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.metric.baseline import baselines

RNG = np.random.default_rng(3)
VALUES = RNG.normal(size=(600, 3)) + np.sin(np.arange(600) / 8)[:, None]


def test_the_four_rows_that_every_table_has() -> None:
    names = [name for name, _ in baselines(VALUES, 200, 0.001, 0)]
    assert names == ["random", "all ones", "z-score > 3", "seasonal naive > 3"]


@pytest.mark.parametrize("name", ["random", "all ones", "z-score > 3", "seasonal naive > 3"])
def test_what_comes_later_changes_nothing(name: str) -> None:
    later = VALUES.copy()
    later[400:] = 1e6
    before, after = (dict(baselines(v, 200, 0.001, 0))[name] for v in (VALUES, later))
    assert np.array_equal(before.score[:400], after.score[:400])
    assert np.array_equal(before.alarm[:400], after.alarm[:400])


def test_a_jump_is_seen_by_both_that_look() -> None:
    jumped = VALUES.copy()
    jumped[500, 1] = 40
    told = dict(baselines(jumped, 200, 0.001, 0))
    assert told["z-score > 3"].alarm[500]
    assert told["seasonal naive > 3"].alarm[500]
    assert told["z-score > 3"].share[500].argmax() == 1


def test_random_alarms_are_as_rare_as_they_should_be_and_the_seed_is_theirs() -> None:
    many = np.zeros((200_000, 1))
    first, again, other = (dict(baselines(many, 10, 0.01, seed))["random"] for seed in (1, 1, 2))
    assert first.alarm.mean() == pytest.approx(0.01, rel=0.1)
    assert np.array_equal(first.score, again.score)
    assert not np.array_equal(first.score, other.score)


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
def test_a_handful_of_rows_will_do(rows: int) -> None:
    for _, said in baselines(VALUES[:rows], 1, 0.01, 0):
        assert np.isfinite(said.score).all()


def test_gaps_infinities_and_still_signals_are_no_trouble() -> None:
    odd = VALUES.copy()
    odd[:, 0] = np.nan
    odd[50, 1] = np.inf
    odd[:, 2] = 5.0
    for _, said in baselines(odd, 200, 0.01, 0):
        assert np.isfinite(said.score).all()
        assert said.score.shape == said.alarm.shape == (600,)
