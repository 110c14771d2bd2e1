"""Estimates: they grow with the program, and are refused where nothing was measured."""

from __future__ import annotations

import pytest

from bimetal.nouns.errors import Unsupported
from bimetal.shrink.budget import need_of
from bimetal.shrink.estimate import Estimate, code_bytes, instructions, stack_bytes
from bimetal.shrink.figures import CODE, STACK, WORK
from tests.shrink.given import detector, tiny, windowed

GROWING = (tiny(), tiny(4), detector(1), detector(6))


@pytest.mark.parametrize("figures", CODE)
def test_more_program_is_more_code_and_stack(figures: str) -> None:
    needs = [need_of(p).lowered for p in GROWING]
    for told in ([code_bytes(n, figures) for n in needs], [stack_bytes(n, figures) for n in needs]):
        sizes = [estimate.value for estimate in told]
        assert sizes == sorted(sizes)
        assert sizes[0] > 0
        assert all(estimate.error >= 0 for estimate in told)


def most(estimate: Estimate | None) -> int:
    assert estimate is not None
    return estimate.value + estimate.error


@pytest.mark.parametrize("figures", WORK)
def test_a_longer_window_is_more_work(figures: str) -> None:
    needs = [need_of(windowed(n)).lowered for n in (8, 64, 256)]
    work = [sum(most(instructions(s, figures)) for s in n.stages) for n in needs]
    assert 0 < work[0] < work[1] < work[2]


def test_machines_without_float_arithmetic_pay_for_a_library() -> None:
    lowered = need_of(detector(1)).lowered
    assert code_bytes(lowered, "cortex-m0plus").value > code_bytes(lowered, "cortex-m4").value + 2000
    soft, hard = (
        sum(most(instructions(stage, figures)) for stage in lowered.stages)
        for figures in ("cortex-m0plus", "cortex-m4")
    )
    assert soft > 5 * hard


@pytest.mark.parametrize("figures", ["", "z80", "cortex-m4\n"])
def test_figures_that_there_are_none_of_are_refused(figures: str) -> None:
    lowered = need_of(tiny()).lowered
    with pytest.raises(Unsupported, match="cortex-m0plus"):
        code_bytes(lowered, figures)
    with pytest.raises(Unsupported, match="cortex-m0plus"):
        stack_bytes(lowered, figures)
    assert instructions(lowered.stages[0], figures) is None


def test_every_table_tells_its_error() -> None:
    assert all(rates.each for table in (CODE, STACK, WORK) for rates in table.values())
