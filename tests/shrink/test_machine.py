"""Processors: found by name, each with figures and a compiler to ask."""

from __future__ import annotations

import pytest

from bimetal.nouns.errors import NotFound
from bimetal.shrink.figures import CODE, STACK, WORK
from bimetal.shrink.machine import MACHINES, Machine, machine_of


@pytest.mark.parametrize("machine", MACHINES.values(), ids=str)
def test_every_processor_has_figures_and_a_compiler(machine: Machine) -> None:
    assert machine.figures in CODE
    assert machine.figures in STACK
    assert machine.prefixes
    assert machine.library_bytes > 0


def test_figures_are_used() -> None:
    used = {machine.figures for machine in MACHINES.values()}
    assert set(CODE) == set(STACK) == used
    assert set(WORK) <= used
    assert all(0 <= rates.error < 1.5 for table in (CODE, STACK, WORK) for rates in table.values())


def test_names_do_not_mind_case() -> None:
    assert machine_of("Cortex-M4") is MACHINES["cortex-m4"]


@pytest.mark.parametrize(
    ("name", "meant"), [("cortex-m5", "cortex-m"), ("cortexm4", "cortex-m4"), ("avr5", "avr")]
)
def test_what_was_probably_meant_is_said(name: str, meant: str) -> None:
    with pytest.raises(NotFound, match=f"Did you mean {meant}"):
        machine_of(name)


@pytest.mark.parametrize("name", ["", "z80", "\n", "x" * 1000])
def test_without_a_near_one_all_are_said(name: str) -> None:
    with pytest.raises(NotFound, match="cortex-m0plus") as caught:
        machine_of(name)
    assert len(caught.value.sentence()) < 300
