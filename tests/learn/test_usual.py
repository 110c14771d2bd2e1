"""What is usual for a signal: where it lies, what no sensor can say, how long it may be still or silent."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.usual import NEVER, fleet_of, usual_of, values_of
from bimetal.nouns import Signal

PLAIN = (Signal("a"),)


def one(column: np.ndarray, signal: Signal = PLAIN[0]):
    return usual_of(np.asarray(column, float)[:, None], (signal,))[0]


def test_a_gaussian_is_measured_by_its_standard_deviation() -> None:
    found = one(np.random.default_rng(0).normal(50, 2, 5000))
    assert found.location == pytest.approx(50, abs=0.2)
    assert found.scale == pytest.approx(2, rel=0.08)
    assert found.low == pytest.approx(50 - 2.576 * 2, abs=0.5)


def test_values_rarer_than_one_in_a_thousand_hardly_move_it_and_peaks_that_belong_count() -> None:
    rng = np.random.default_rng(1)
    clean = rng.normal(size=4000)
    wild = clean.copy()
    wild[:3] = 1e9
    assert one(wild).scale < 1.5 * one(clean).scale
    wild[:30] = 1e9
    assert one(wild).scale < 12 * one(clean).scale
    peaks = clean.copy()
    peaks[::100] += 12
    assert one(peaks).scale > 1.5 * one(clean).scale


def test_a_signal_that_never_moved_has_a_scale() -> None:
    for value in (0.0, 5.0, -1e12):
        found = one(np.full(500, value))
        assert found.scale > 0
        assert found.low == found.high == value
        assert found.stuck_rows == NEVER


def test_stillness_and_silence_are_three_times_the_longest_seen() -> None:
    column = np.random.default_rng(2).normal(size=2000)
    column[100:120] = 1.0
    column[700:705] = np.nan
    found = one(column)
    assert found.stuck_rows == pytest.approx(60, abs=6)
    assert found.gone_rows == 15
    assert one(np.random.default_rng(3).normal(size=200)).stuck_rows == 16


def test_no_measurement_is_what_the_data_sheet_says_or_what_is_absurd() -> None:
    column = np.random.default_rng(4).normal(20, 1, 500)
    sheet = one(column, Signal("a", low=-40.0, high=85.0))
    assert (sheet.least, sheet.most) == (-40.0, 85.0)
    assert one(column).most > 1000
    outside = column.copy()
    outside[:50] = 900.0
    assert one(outside, Signal("a", low=-40.0, high=85.0)).scale == pytest.approx(1, rel=0.2)


def test_nothing_known_is_said_plainly() -> None:
    found = one(np.full(100, np.nan))
    assert (found.location, found.scale) == (0.0, 1.0)
    assert found.gone_rows == NEVER


def test_a_stranger_gets_the_patience_of_the_most_patient() -> None:
    rng = np.random.default_rng(5)
    calm, slow = rng.normal(size=(500, 1)), np.repeat(rng.normal(size=(50, 1)), 10, axis=0)
    devices = [usual_of(v, PLAIN) for v in (calm, slow)]
    fleet = fleet_of(devices, np.concatenate([calm, slow]), PLAIN)[0]
    assert fleet.stuck_rows == max(d[0].stuck_rows for d in devices)
    assert fleet.least <= min(d[0].least for d in devices)
    assert set(values_of([fleet])) == {
        "usual_location",
        "usual_scale",
        "sensor_low",
        "sensor_high",
        "sensor_stuck_after",
        "sensor_gone_after",
    }
