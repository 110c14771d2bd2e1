"""The budget: sizes are those that were proven, limits those of the board, doubts are said and counted."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bimetal.nouns.errors import BadInput, BadProgram, Unsupported
from bimetal.program.letter import add
from bimetal.program.program import Draft
from bimetal.shrink.board import BOARDS, board_of
from bimetal.shrink.budget import (
    CYCLES,
    ESTIMATED,
    MEASURED,
    Fit,
    Limits,
    Row,
    fit,
    fit_board,
    fits_on,
    limits_of,
    need_of,
)
from bimetal.shrink.machine import machine_of
from bimetal.shrink.measure import Measured
from tests.shrink.given import detector, tiny, windowed

NEED = need_of(detector(4))
M4 = board_of("nucleo-l432kc")
WEIGHED = Measured(flash_bytes=5000, data_bytes=300, stack_bytes=700, compiler="a compiler 1.0")


def row(found: Fit, name: str) -> Row:
    there = found.row(name)
    assert there is not None
    return there


def test_memory_is_what_was_proven_and_the_stack() -> None:
    found, report = fit_board(NEED, M4), NEED.report
    fixed = report.state_bytes + report.input_bytes + report.output_bytes
    ram, stack = row(found, "ram"), row(found, "stack")
    assert ram.used == fixed + stack.used
    assert ram.error == stack.error
    assert stack.used > NEED.lowered.scratch_bytes
    assert row(found, "flash").used > report.parameter_bytes
    assert row(found, "flash").error > 0
    assert {r.how for r in found.rows} == {ESTIMATED}


def test_what_a_compiler_says_takes_the_place_of_estimates() -> None:
    found = fit_board(NEED, M4, measured=WEIGHED)
    assert (row(found, "flash").used, row(found, "flash").error) == (5000, 0)
    assert (row(found, "stack").used, row(found, "stack").how) == (700, MEASURED)
    assert found.memory["constants"] == 300
    assert row(found, "ram").used == sum(found.memory.values())
    assert found.compiler == "a compiler 1.0"


def test_a_doubtful_estimate_does_not_fit() -> None:
    assert Row("flash", 90, 100, "bytes", ESTIMATED, 10).fits
    assert not Row("flash", 91, 100, "bytes", ESTIMATED, 10).fits
    assert Row("flash", 91, None, "bytes", ESTIMATED, 10).fits
    most = row(fit_board(NEED, M4), "flash").most
    assert not fit(NEED, M4.machine, Limits(flash_bytes=most - 1)).fits
    assert fit(NEED, M4.machine, Limits(flash_bytes=most)).fits


def test_work_is_judged_by_the_period() -> None:
    assert fit_board(NEED, M4, period_s=1.0).fits
    assert row(fit_board(NEED, M4, period_s=1.0), "instructions").limit == M4.clock_hz // CYCLES
    slow = fit_board(NEED, M4, period_s=1e-5)
    assert [r.name for r in slow.rows if not r.fits] == ["instructions"]
    assert row(fit_board(NEED, M4), "instructions").limit is None


def test_work_of_all_clocks_together_is_judged_and_each_is_told() -> None:
    found = fit(need_of(windowed(64)), machine_of("cortex-m4"), Limits())
    assert [f.clock.period for f in found.firings] == [1, 64]
    assert row(found, "instructions").used == sum(f.instructions for f in found.firings)
    assert row(found, "instructions").error == sum(f.error for f in found.firings)


def test_where_nobody_counted_instructions_that_is_said_and_a_limit_is_refused() -> None:
    found = fit_board(NEED, board_of("esp8266"), period_s=1e-9)
    assert found.row("instructions") is None
    assert any("counted" in note for note in found.notes)
    with pytest.raises(Unsupported, match="instructions"):
        fit(NEED, machine_of("esp8266"), Limits(instructions=10**9))


def test_the_smaller_limit_holds() -> None:
    assert Limits(10, None, 5).within(Limits(20, 30, None)) == Limits(10, 30, 5)
    found = fit_board(NEED, M4, within=Limits(flash_bytes=100, ram_bytes=10**9))
    assert row(found, "flash").limit == 100
    assert row(found, "ram").limit == M4.ram_bytes


def test_a_large_detector_does_not_fit_a_small_board() -> None:
    need = need_of(detector(24))
    fitting = {f.name for f in fits_on(need, period_s=1.0) if f.fits}
    assert "nucleo-l031k6" not in fitting
    assert "arduino-uno" not in fitting
    assert "nucleo-l432kc" in fitting


def test_every_board_is_held_against_with_what_was_measured_for_it() -> None:
    found = fits_on(NEED, measured={"cortex-m4": WEIGHED})
    assert [f.board for f in found] == list(BOARDS.values())
    assert {f.machine.name for f in found if f.compiler} == {"cortex-m4"}


def test_what_the_figures_leave_open_is_noted() -> None:
    assert any("ESP32" in note for note in fit_board(NEED, board_of("esp32-devkit")).notes)
    assert all("ESP32" not in note for note in fit_board(NEED, M4).notes)
    assert any("interrupts" in note for note in fit_board(NEED, M4).notes)


def test_a_program_without_floats_or_state_has_small_figures() -> None:
    found = fit(need_of(tiny()), machine_of("cortex-m0plus"), Limits(8192, 1024, 10_000))
    assert found.fits
    assert found.name == "cortex-m0plus"


@pytest.mark.parametrize("period_s", [-1.0, math.inf, math.nan])
def test_a_period_that_cannot_be_is_refused(period_s: float) -> None:
    with pytest.raises(BadInput):
        limits_of(M4, period_s)


def test_a_tiny_period_is_a_limit_that_nothing_keeps() -> None:
    assert not fit_board(NEED, M4, period_s=1e-300).fits
    assert replace(M4, clock_hz=1).clock_hz == 1


def test_a_program_that_breaks_a_rule_is_refused() -> None:
    draft = Draft("bad")
    held = draft.state("n", 0, "i32", low=0, high=10)
    draft.set(held, add(held, 1))
    with pytest.raises(BadProgram):
        need_of(draft.finish())
