"""Limits of the quality gate: tails, few rows, signals that never moved or never came."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.detector import Design, input_names
from bimetal.learn.gate import (
    DECADES,
    DECIMAL,
    changes_of,
    decades_of,
    gated,
    limits_of,
    open_gate,
    usual_of_history,
)
from bimetal.learn.kin import kin_of, kin_of_history
from bimetal.learn.usual import usual_of
from bimetal.nouns import Signal
from bimetal.nouns.event import Fault
from bimetal.program.operators.quality_gate import BROKEN, NEVER
from bimetal.targets.present import fastest
from tests.learn.given import history_of_devices, outputs, readings, taught


def test_tails_are_followed_as_far_as_the_promise_asks() -> None:
    assert decades_of(1 / 2016, 1) == DECADES
    assert decades_of(1e-7, 5) == pytest.approx(4.7, abs=0.01)
    assert decades_of(0.0, 1) <= 6


def test_limits_lie_beyond_what_healthy_readings_do() -> None:
    figures = np.abs(np.random.default_rng(1).standard_normal((5000, 5, 1))).astype(np.float32)
    values = np.random.default_rng(2).standard_normal((5000, 1)).astype(np.float32)
    usual = usual_of(values.astype(float), (Signal("a"),))
    shut = open_gate(usual, kin_of(values.astype(float), usual, (Signal("a"),)), (Signal("a"),))
    limits = limits_of(figures, values, shut, 3.0)
    for k, name in enumerate(("jump", "rough")):
        assert figures[:, k].max() < limits[f"quality_{name}"][0] < 4 * figures[:, k].max()
    assert limits["quality_broken"][0] >= BROKEN
    still = limits_of(figures, np.ones_like(values), shut, 3.0)
    assert (still["quality_jump"] == NEVER).all()
    assert limits_of(figures[:10], values[:10], shut, 3.0)["quality_jump"][0] == NEVER


def test_a_unit_says_which_mistakes_may_befall_it() -> None:
    assert (1.8, 32.0) in changes_of("Cel")
    assert changes_of("") == DECIMAL
    assert all(len(changes_of(u)) <= 4 for u in ("Cel", "bar", "kPa", "m", "%", "K", "furlong"))


def test_devices_with_few_rows_have_the_limits_of_the_fleet_and_all_have_all() -> None:
    history = history_of_devices([("big", readings(3000)), ("small", readings(100, 1))])
    names, known = input_names(["signal 1", "signal 2"]), usual_of_history(history)
    found = gated(history, Design(2), names, known, kin_of_history(history, known), fastest(), 1e-4)
    assert set(found) == {"big", "small", ""}
    assert (found["small"]["quality_rough"] == found[""]["quality_rough"]).all()
    assert (found["small"]["quality_jump"] > found[""]["quality_jump"]).all()
    assert all(np.isfinite(np.asarray(v, float)).all() for v in found["big"].values())


def test_a_spike_of_one_signal_is_named_and_starts_no_process_alarm() -> None:
    rng = np.random.default_rng(5)
    known = rng.standard_normal((3000, 2)) * 0.3 + 20
    learned = taught(("pump", known), budget="1/month")
    values = rng.standard_normal((600, 2)) * 0.3 + 20
    values[300, 0] += 12
    out = outputs(learned, values)
    assert np.flatnonzero(out["fault"][:, 0] == Fault.SPIKE).tolist() == [301]
    assert not out["alarm"][:301].any()


def test_a_history_full_of_losses_and_of_one_value_is_learned_from() -> None:
    values = readings(500)
    values[::3, 0] = np.nan
    values[:, 1] = 7.0
    out = outputs(taught(("pump", values)), values)
    assert not (out["fault"] == Fault.DROPOUT).any()
    assert np.isfinite(out["score"]).all()
