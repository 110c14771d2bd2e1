"""Forests: what is told of their code and their work holds against a compiler, in every form."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.cli.toolbox import LocalTools
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.forest import Forest
from bimetal.program.program import Program
from bimetal.shrink.budget import need_of
from bimetal.shrink.estimate import code_bytes, instructions
from bimetal.shrink.figures import CODE as CODES
from bimetal.shrink.figures import WORK as WORKS
from bimetal.shrink.grove import CODE, WORK, done_groves, written_groves
from bimetal.shrink.machine import machine_of
from bimetal.shrink.measure import measure
from bimetal.targets.c99_sources import sources_of
from tests.targets.kernels.test_forest import COLUMNS, FORMS, operators

HOW = ("votes", "many votes", "one sum", "rows")
ARM = "arm-none-eabi-gcc"
NEEDED = {"cortex-m0plus": ARM, "cortex-m3": ARM, "cortex-m4": ARM,
          "rv32imc": "riscv64-unknown-elf-gcc", "avr": "avr-gcc"}  # fmt: skip
BEYOND = 1.6
"""So many times the bytes that gcc needs may be told, plus a few."""


def made(how: str, form: str, dtype: str = "u8") -> tuple[Program, bytes]:
    program, values = wire(
        operators(4, form)[how], (np.zeros((1, COLUMNS), {"u8": np.uint8, "f32": np.float32}[dtype]),)
    )
    return program, pack(program, values)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.needs(gcc)) for n, gcc in NEEDED.items()])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["u8", "f32"])
def test_code_takes_no_more_than_is_told_and_not_much_less(name: str, form: str, dtype: str) -> None:
    machine = machine_of(name)
    for how in HOW:
        program, block = made(how, form, dtype)
        need = need_of(program)
        found = measure(sources_of(program, need.lowered, block, "p"), "p", machine, LocalTools())
        seen = found.flash_bytes - layout_of(program).params.size
        told = code_bytes(need.lowered, machine.figures)
        assert seen <= told.value + told.error, (how, seen, told)
        assert told.value <= BEYOND * seen + 250, (how, seen, told)


def test_every_machine_has_figures_for_forests() -> None:
    assert set(CODE) == set(CODES)
    assert set(WORK) == set(WORKS)
    kinds = {form: written_groves(need_of(made("one sum", form)[0]).lowered) for form in FORMS}
    for figures in CODE:
        for form in FORMS:
            assert sum(CODE[figures].get(k, 0.0) * n for k, n in kinds[form].items()) > 40, (figures, form)


def test_what_is_done_is_counted_for_all_trees_at_worst() -> None:
    def done(form: str, how: str = "votes") -> dict[str, int]:
        (stage,) = need_of(made(how, form)[0]).lowered.stages
        return dict(done_groves(stage))

    assert done("links") == {"forest": 1, "links tree": 5, "vote": 5, "links octets split": 30}
    assert done("short")["short octets split"] == 30
    crown = {"forest": 1, "crown tree": 5, "vote": 5, "level octets": 15, "cells": 5, "cell octets": 15}
    assert done("crown-3") == crown
    assert done("crown-6", "one sum") == {"forest": 1, "places tree": 5, "sum": 5, "level octets": 30}
    assert done("links", "rows")["sums"] == 5


def test_two_classes_are_a_pair_in_crowns_alone() -> None:
    for form, ending in (("links", "vote"), ("crown-1", "pair")):
        program, _ = wire(Forest(form=form), (np.zeros((1, 2), np.uint8),))
        assert written_groves(need_of(program).lowered)[ending] == 1


@pytest.mark.parametrize("figures", WORKS)
def test_crowns_are_told_to_be_faster_than_other_forms(figures: str) -> None:
    told: dict[str, int] = {}
    for form in ("short", "links", "crown-3", "crown-6"):
        (stage,) = need_of(made("one sum", form)[0]).lowered.stages
        found = instructions(stage, figures)
        assert found is not None
        told[form] = found.value
    assert min(told["short"], told["links"]) > told["crown-3"] > told["crown-6"]
