"""Shards: stable for ever, even, and nothing is lost in splitting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.stream.shard import by_shard, shard_of
from tests.stream.given import part, stream


@pytest.mark.parametrize(("device", "shard"), [("pump-1", 54), ("größe", 52), ("", 36), ("\ud800", 2)])
def test_a_devices_shard_never_changes(device: str, shard: int) -> None:
    assert shard_of(device) == shard


def test_shards_are_even() -> None:
    count = Counter(shard_of(f"device-{k}") for k in range(64_00))
    assert len(count) == 64
    assert max(count.values()) < 150


def test_every_row_is_in_exactly_one_shard_in_its_order() -> None:
    batch = stream(devices=[f"d{k}" for k in range(17)])
    parts = by_shard(batch, 5)
    assert sum(len(p) for p in parts.values()) == len(batch)
    for k, one in parts.items():
        assert {shard_of(one.devices[d], 5) for d in one.device} == {k}
    for d, name in enumerate(batch.devices):
        one = parts[shard_of(name, 5)]
        np.testing.assert_array_equal(one.values[one.rows_of(d)], batch.values[batch.rows_of(d)])


def test_an_empty_batch_has_no_shards() -> None:
    assert by_shard(part(stream(), 0, 0)) == {}


@pytest.mark.parametrize("shards", [0, -1, 70_000])
def test_impossible_numbers_of_shards_are_refused(shards: int) -> None:
    with pytest.raises(BadInput):
        shard_of("a", shards)
