"""Siblings: two sensors of the same thing, and nothing else that goes along as closely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.learn.kin import Kin, kin_of, kin_of_history
from bimetal.learn.usual import usual_of
from bimetal.nouns import Signal
from tests.learn.given import history_of_devices, readings

LOAD = np.random.default_rng(0).standard_normal(2000)
NOISE = np.random.default_rng(1).standard_normal((2000, 2))


def kin(columns: list[NDArray[Any]], units: list[str]) -> Kin:
    values = np.stack(columns, axis=1)
    signals = [Signal(f"s{k}", unit) for k, unit in enumerate(units)]
    usual = usual_of(values, signals)
    location, scale = np.array([u.location for u in usual]), np.array([u.scale for u in usual])
    return kin_of((values - location) / scale, usual, signals)


@pytest.mark.parametrize("unit", ["Cel", ""])
def test_two_sensors_of_the_same_thing_are_siblings(unit: str) -> None:
    found = kin([40 + LOAD, 40.2 + 1.1 * LOAD + 0.1 * NOISE[:, 0], 40 + NOISE[:, 1]], [unit] * 3)
    assert found.sibling.tolist() == [1, 0, 2]
    assert found.follows[:2] == pytest.approx(1.0, abs=0.05)
    assert found.follows[2] == 0
    assert found
    assert set(found.values) == {"quality_sibling", "quality_follows"}


@pytest.mark.parametrize(
    ("other", "unit"),
    [
        (1400 + 20 * LOAD, "/min"),
        (40 + LOAD, "A"),
        (80 + LOAD, "Cel"),
        (40 + 3 * LOAD, "Cel"),
        (-LOAD, "Cel"),
    ],
    ids=["speed", "another unit", "another level", "another swing", "the other way, elsewhere"],
)
def test_what_goes_along_but_measures_something_else_is_no_sibling(other: NDArray[Any], unit: str) -> None:
    found = kin([40 + LOAD, other], ["Cel", unit])
    assert not found
    assert found.values == {}
    assert found.sibling.tolist() == [0, 1]


def test_few_rows_silence_and_signals_that_stand_still_have_none() -> None:
    assert not kin([40 + LOAD[:10], 40 + LOAD[:10]], ["Cel"] * 2)
    signals = (Signal("a"), Signal("b"))
    usual = usual_of(np.full((200, 2), 5.0), signals)
    assert not kin_of(np.full((200, 2), np.nan), usual, signals)
    assert not kin_of(np.zeros((200, 2)), usual, signals)


def test_devices_are_looked_at_together() -> None:
    one, other = readings(300), readings(300, 1)
    for rows in (one, other):
        rows[:, 1] = rows[:, 0] + 0.01 * rows[:, 1]
    history = history_of_devices([("a", one), ("b", other)])
    known = {"": usual_of(np.concatenate([one, other]), history.signals)}
    assert kin_of_history(history, known).sibling.tolist() == [1, 0]
