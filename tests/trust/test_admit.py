"""Admission: identity, consent, quality, in that order, and nothing passes by."""

from __future__ import annotations

import numpy as np

from bimetal.nouns import Batch, Purpose, Signal
from bimetal.trust.admit import Admission

WATCH = Purpose("maintenance", "contract", 30)


def batch(values: list[list[float]], device: list[int]) -> Batch:
    array = np.array(values, dtype=np.float64).reshape(len(device), 2)
    return Batch(
        ("pump", "stranger"),
        (Signal("temperature"), Signal("position")),
        np.arange(len(device), dtype=np.int64),
        np.array(device, dtype=np.int32),
        array,
    )


def test_everything_known_passes_unchanged() -> None:
    given = batch([[1, 2], [3, 4]], [0, 1])
    passed = Admission({"temperature": WATCH, "position": WATCH}).admit(given)
    assert passed.batch.values.tolist() == given.values.tolist()
    assert passed.refused == {"identity": 0, "consent": 0, "quality": 0}


def test_a_stranger_does_not_pass() -> None:
    passed = Admission({"temperature": WATCH, "position": WATCH}, frozenset({"pump"})).admit(
        batch([[1, 2], [3, np.nan]], [0, 1])
    )
    assert passed.batch.values.tolist() == [[1, 2]]
    assert passed.refused["identity"] == 1


def test_a_signal_without_purpose_does_not_pass() -> None:
    passed = Admission({"temperature": WATCH}).admit(batch([[1, 2], [3, 4]], [0, 1]))
    assert [s.name for s in passed.batch.signals] == ["temperature"]
    assert passed.batch.values.tolist() == [[1], [3]]
    assert passed.refused["consent"] == 2


def test_what_is_no_number_becomes_missing() -> None:
    passed = Admission({"temperature": WATCH, "position": WATCH}).admit(
        batch([[np.inf, 2], [np.nan, -np.inf]], [0, 0])
    )
    assert np.isnan(passed.batch.values).tolist() == [[True, False], [True, True]]
    assert passed.refused["quality"] == 2


def test_an_empty_batch_passes() -> None:
    passed = Admission({}, frozenset({"pump"})).admit(batch([], []))
    assert len(passed.batch) == 0
