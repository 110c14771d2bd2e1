"""A batch refuses what does not fit together, and its parts are batches again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Batch, Signal
from bimetal.nouns.batch import those_named
from bimetal.nouns.errors import BadInput

SIGNALS = (Signal("x"), Signal("y"))


def batch(times: list[int], device: list[int], names: tuple[str, ...] = ("a", "b", "c")) -> Batch:
    """A batch whose values tell its rows apart."""
    values = np.arange(2.0 * len(times)).reshape(-1, 2)
    return Batch(names, SIGNALS, np.array(times, np.int64), np.array(device, np.int32), values)


def test_each_devices_times_count_for_themselves() -> None:
    assert len(batch([5, 1, 5, 2], [0, 1, 0, 1])) == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"values": np.zeros((2, 3))}, "cannot hold values"),
        ({"device": np.zeros(3, np.int32)}, "cannot hold values"),
        ({"time_ns": np.zeros(2, np.int32)}, "needs int64 times"),
        ({"time_ns": np.array([0.0, np.nan])}, "needs int64 times"),
        ({"device": np.zeros(2, np.int64)}, "int32 devices"),
        ({"values": np.zeros((2, 2), np.float32)}, "float64 values"),
        ({"device": np.array([0, 3], np.int32)}, "does not list"),
        ({"device": np.array([-1, 0], np.int32)}, "does not list"),
        ({"time_ns": np.array([2, 1], np.int64)}, "times go backwards"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Any], why: str) -> None:
    fits: dict[str, Any] = {
        "devices": ("a", "b", "c"),
        "signals": SIGNALS,
        "time_ns": np.array([1, 2], np.int64),
        "device": np.zeros(2, np.int32),
        "values": np.zeros((2, 2)),
    }
    assert len(Batch(**fits)) == 2
    with pytest.raises(BadInput, match=why):
        Batch(**(fits | change))


def test_missing_values_are_no_readings() -> None:
    some = batch([1, 2], [0, 1])
    some.values[0, 1] = np.nan
    assert some.readings == 3


def test_rows_of_some_devices_are_a_batch_of_those_that_have_any() -> None:
    whole = batch([1, 1, 2, 3], [2, 0, 2, 0])
    some = whole.of_devices({"c", "b", "nobody"})
    assert some.devices == ("c",)
    assert some.time_ns.tolist() == [1, 2]
    assert some.values.tolist() == whole.values[[0, 2]].tolist()
    assert whole.of_devices({"a", "b", "c", "d"}) is whole
    assert len(whole.of_devices(())) == 0


@given(st.lists(st.integers(0, 4), max_size=12))
def test_devices_without_rows_are_left_out_and_rows_keep_theirs(device: list[int]) -> None:
    names = ("a", "b", "c", "d", "e")
    used, index = those_named(names, np.array(device, np.int32))
    assert used == tuple(n for k, n in enumerate(names) if k in device)
    assert index.dtype == np.int32
    assert [used[k] for k in index] == [names[k] for k in device]
