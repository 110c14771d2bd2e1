"""The budget: sizes are those that were proven, limits those of the board, doubts are said."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bimetal.nouns.errors import BadInput, BadProgram
from bimetal.program.letter import add
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.shrink.board import BOARDS, board_of
from bimetal.shrink.budget import STACK_BYTES, Row, fit, fits_on, need_of
from bimetal.targets.lower import lower
from tests.shrink.given import detector, tiny

NEED = need_of(detector(4))
M4, UNO = board_of("nucleo-l432kc"), board_of("arduino-uno")


def row(name: str, **given: object) -> Row:
    return next(
        r for r in fit(given.get("need", NEED), given.get("board", M4), period_s=1.0).rows if r.name == name
    )  # type: ignore[arg-type]


def test_memory_is_what_was_proven_and_lowered() -> None:
    program = detector(4)
    report = check(program)
    scratch = lower(program, report.ranges).scratch_bytes
    exact = report.state_bytes + report.input_bytes + report.output_bytes + scratch + STACK_BYTES
    assert (row("ram").used, row("ram").error) == (exact, 0)
    assert row("flash").used > report.parameter_bytes
    assert row("flash").error > 0


def test_read_only_data_takes_both_memories_of_an_avr() -> None:
    assert row("ram", board=UNO).used >= row("ram").used + NEED.report.parameter_bytes


def test_a_doubtful_estimate_does_not_fit() -> None:
    assert Row("flash", 90, 100, "bytes", 10).fits
    assert not Row("flash", 91, 100, "bytes", 10).fits
    used = row("flash")
    tight = replace(M4, flash_bytes=used.used + used.error - 1)
    assert not fit(NEED, tight).fits
    assert fit(NEED, replace(tight, flash_bytes=tight.flash_bytes + 1)).fits


def test_work_is_judged_by_the_period() -> None:
    assert fit(NEED, M4, period_s=1.0).fits
    slow = fit(NEED, M4, period_s=1e-5)
    assert [r.name for r in slow.rows if not r.fits] == ["work"]
    assert row("work").used == 3 * NEED.report.operations


def test_without_a_period_time_is_not_judged_and_that_is_said() -> None:
    found = fit(NEED, M4)
    assert [r.name for r in found.rows] == ["flash", "ram"]
    assert any("period" in note for note in found.notes)
    assert any("not measured" in note for note in fit(NEED, board_of("esp32-c3"), period_s=1.0).notes)


def test_a_large_detector_does_not_fit_a_small_board() -> None:
    need = need_of(detector(24))
    fitting = {f.board.name for f in fits_on(need, period_s=1.0) if f.fits}
    assert "nucleo-l031k6" not in fitting
    assert "arduino-uno" not in fitting
    assert "nucleo-l432kc" in fitting


def test_every_board_is_held_against() -> None:
    assert [f.board for f in fits_on(NEED)] == list(BOARDS.values())


def test_a_program_whose_structs_need_padding_is_not_promised_to_an_avr() -> None:
    draft = Draft("padded")
    x = draft.input("x", "i16", (3,))
    draft.output("y", x)
    draft.output("z", add(draft.input("w"), 1.0))
    padded = fit(need_of(draft.finish()), UNO)
    assert "padding" in padded.obstacle
    assert not padded.fits
    assert fit(need_of(tiny()), UNO).fits


@pytest.mark.parametrize("period_s", [-1.0, math.inf, math.nan])
def test_a_period_that_cannot_be_is_refused(period_s: float) -> None:
    with pytest.raises(BadInput):
        fit(NEED, M4, period_s=period_s)


def test_a_program_that_breaks_a_rule_is_refused() -> None:
    draft = Draft("bad")
    held = draft.state("n", 0, "i32", low=0, high=10)
    draft.set(held, add(held, 1))
    with pytest.raises(BadProgram):
        need_of(draft.finish())
