"""The stack: what is painted below a step and is gone after it never reaches beyond the bound.

On simulated boards, with everyday readings and with the worst there are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.simulate import count
from bimetal.cli.toolbox import LocalTools
from bimetal.program.program import Program
from bimetal.shrink.budget import need_of
from bimetal.shrink.estimate import SMALL_WORK, instructions, stack_bytes
from bimetal.shrink.machine import machine_of
from bimetal.shrink.measure import measure
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.vectors import make_vectors
from tests.shrink.given import dozen

BESIDE = 16
"""Bytes below the painting function's own mark that its call of the step may take."""
SLACK = 2.2
"""What is told is for the worst way through a program, which these readings need not take."""


ARM = pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
RISCV = pytest.mark.needs("riscv64-unknown-elf-gcc", "qemu-system-riscv32")
PROCESSORS = {"cortex-m0plus": ARM, "cortex-m4": ARM, "rv32imc": RISCV}


@pytest.mark.parametrize("processor", [pytest.param(p, marks=mark) for p, mark in PROCESSORS.items()])
@pytest.mark.parametrize(("name", "program", "block"), [pytest.param(*g, id=g[0]) for g in dozen()])
def test_no_step_goes_deeper_or_takes_longer_than_is_told(
    name: str, program: Program, block: bytes, processor: str, tmp_path: Path
) -> None:
    machine, need = machine_of(processor), need_of(program)
    rows = np.concatenate([v.rows for v in make_vectors(program, block, seed=5, runs=10).runs])
    counted = count(program, block, rows, machine, tmp_path)
    deepest, longest = int(counted.stack_bytes.max()), int(counted.instructions.max())

    found = measure(sources_of(program, need.lowered, block, "p"), "p", machine, LocalTools())
    assert deepest <= found.stack_bytes + BESIDE
    assert found.stack_bytes <= deepest + machine.library_bytes + BESIDE

    told = stack_bytes(need.lowered, machine.figures)
    assert deepest <= told.value + told.error
    work = [instructions(stage, machine.figures) for stage in need.lowered.stages]
    most = sum(w.value + w.error for w in work if w)
    assert longest <= most <= SLACK * longest + SMALL_WORK
