"""Shards are shared out evenly, alike by everybody, and few move when a worker comes or goes."""

from __future__ import annotations

import pytest

from bimetal.cluster.share import shares


@pytest.mark.parametrize("shards", [1, 7, 64, 256])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 70])
def test_each_shard_has_one_worker_and_no_worker_two_more_than_another(shards: int, count: int) -> None:
    shared = shares(shards, [f"w{k}" for k in range(count)])
    assert sorted(s for its in shared.values() for s in its) == list(range(shards))
    sizes = [len(its) for its in shared.values()]
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == count


def test_the_order_in_which_workers_are_heard_makes_no_difference() -> None:
    assert shares(64, ["a", "b", "c"]) == shares(64, ["c", "a", "b", "a"])


def test_few_shards_move_when_a_worker_comes() -> None:
    before, after = shares(64, ["a", "b", "c"]), shares(64, ["a", "b", "c", "d"])
    moved = sum(len(set(before[name]) - set(after[name])) for name in before)
    assert 16 <= moved <= 32


def test_without_workers_nobody_has_anything() -> None:
    assert shares(64, []) == {}
