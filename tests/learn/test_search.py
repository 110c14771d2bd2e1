"""What is decided before learning: a short history gets short averages, all else is one configuration."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.detector import detector_program
from bimetal.learn.feedback import grafted
from bimetal.learn.search import MCU_BYTES, SHORT, Tier, design_for, left_out, state_bytes
from bimetal.program.layout import layout_of
from tests.learn.given import outputs, readings, taught


@pytest.mark.parametrize("rows", [SHORT, 300, 100_000])
def test_one_configuration_for_all(rows: int) -> None:
    one, other = design_for(1, rows, False), design_for(40, 1_000_000, True)
    assert one.spans == other.spans
    assert one.warm_up <= max(rows // 8, 12)


def test_a_short_history_gets_averages_it_can_carry() -> None:
    short = design_for(3, SHORT - 1, False)
    assert max(short.spans) * 4 <= 64
    assert short.warm_up < 64 // 4


@pytest.mark.parametrize("signals", [45, 46, 52, 55, 64, 66, 100, 105, 139])
def test_more_than_a_hundred_signals_fit_a_microcontroller(signals: int) -> None:
    design = design_for(signals, 10_000, signals <= 64)
    assert state_bytes(design) <= MCU_BYTES
    assert bool(left_out(design)) == (signals > 45)
    assert design_for(signals, 10_000, False, Tier.SERVER).own_varies


def test_more_signals_never_get_more_of_the_detector() -> None:
    kept = [len(left_out(design_for(n, 10_000, False))) for n in (1, 46, 60, 90, 120, 200)]
    assert kept == [0, 0, 1, 2, 3, 4]


def test_a_hundred_signals_are_learned_and_the_guilty_one_is_named() -> None:
    learned = taught(("pump", readings(600, signals=100)))
    assert layout_of(learned.program).state.size <= MCU_BYTES
    assert any("so that the state of 100 signals fits" in limit for limit in learned.card.limits)
    rows = readings(400, 7, signals=100)
    rows[300:, 70] += 4.0
    out = outputs(learned, rows)
    assert not out["alarm"][:300].any()
    assert out["alarm"][300:].any()
    at = 300 + int(out["score"][300:].argmax())
    assert out["share"][at].argmax() == 70
    assert np.abs(out["share"][60:].sum(axis=1) - 1).max() < 1e-3


@pytest.mark.parametrize("signals", [60, 90, 120])
def test_a_bank_of_patterns_can_be_set_into_what_is_left_of_a_detector(signals: int) -> None:
    program, _ = detector_program(design_for(signals, 10_000, False), [f"x{k}" for k in range(signals)])
    made = grafted(program, 4)
    assert layout_of(made.program).state == layout_of(program).state
