"""The alarm: a deadband makes one alarm of one trouble, and long trouble is told late rather than never."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.calibrate import begins
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.budgeted_alarm import BudgetedAlarm
from bimetal.targets.wasm_run import WasmTarget


def alarms(made: BudgetedAlarm, score: NDArray[np.float64], refill: float = 0.0) -> NDArray[np.bool_]:
    """When there is an alarm."""
    program, values = wire(made, (score,))
    rows = np.zeros(len(score), layout_of(program).input.dtype)
    rows["x0"] = score
    running = WasmTarget().load(program, pack(program, dict(values) | {"alarm_refill": refill}))
    _, outputs, _ = running.run(initial_state(program), rows)
    return outputs["y0"] != 0


def begun(alarm: NDArray[np.bool_]) -> int:
    """How many alarms begin."""
    return int(np.count_nonzero(np.diff(alarm.astype(np.int8), prepend=0) == 1))


def test_a_score_that_wavers_about_the_threshold_is_one_alarm_and_one_that_falls_low_is_two() -> None:
    wavers = np.r_[1.1, np.full(30, 0.85), 1.1, np.zeros(40)]
    falls = np.r_[1.1, np.full(30, 0.75), 1.1, np.zeros(40)]
    assert begun(alarms(BudgetedAlarm(), wavers)) == 1
    assert begun(alarms(BudgetedAlarm(), falls)) == 2


def test_without_having_reached_the_threshold_nothing_is_said() -> None:
    assert not alarms(BudgetedAlarm(), np.full(100, 0.99)).any()


def test_long_trouble_without_a_token_is_told_as_soon_as_there_is_one() -> None:
    score = np.r_[2.0, np.zeros(20), np.full(200, 2.0)]
    alarm = alarms(BudgetedAlarm(burst=1), score, refill=0.01)
    assert begun(alarm) == 2
    assert 99 <= np.flatnonzero(alarm[21:])[0] + 20 <= 101
    assert alarm[-1]
    assert begun(alarms(BudgetedAlarm(burst=1), score)) == 1


def test_no_more_begin_than_there_are_tokens_whatever_comes() -> None:
    draw = np.random.default_rng(0)
    score = np.repeat(draw.choice([0.0, 0.9, 2.0], 400), draw.integers(1, 60, 400))
    assert begun(alarms(BudgetedAlarm(burst=4), score, refill=1 / 512)) <= 4 + len(score) / 512


def test_calibration_counts_as_the_alarm_does() -> None:
    draw = np.random.default_rng(1)
    score = np.convolve(draw.exponential(size=6000), np.full(8, 0.125))
    for level in (1.0, 1.5, 2.0, 9.0):
        assert begins(score, level) == begun(alarms(BudgetedAlarm(burst=9999), score / level))
