"""Many devices in one call, one to a lane of vectors: the law's bits for each of them, in step or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimetal.cli.shelf import LocalShelf
from bimetal.cli.toolbox import LocalTools
from bimetal.program.layout import initial_state
from bimetal.targets.native import NativeTarget
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.target import Target
from bimetal.targets.wasm_run import WasmTarget
from tests.agree.case import expected
from tests.agree.proof import differences
from tests.agree.together import Together

LITTLE_EFFORT = ("-std=gnu11", "-O1", "-ffp-contract=off", "-fno-math-errno")
Make = Callable[[Path], Target]


def wasm(folder: Path) -> Target:
    """Four devices at once in wasmtime."""
    return WasmTarget()


def native(folder: Path) -> Target:
    """As many as the vectors of this machine hold; every program is compiled by itself, which takes long."""
    return NativeTarget(LocalTools(), LocalShelf(folder / "native"), flags=LITTLE_EFFORT)


def on_targets(groups: tuple[str, ...], compiled: tuple[str, ...]) -> Any:
    """Try groups of programs in wasmtime, and some of them compiled."""
    marks = (pytest.mark.slow, pytest.mark.needs("cc"))
    found = [pytest.param(wasm, group, id=f"wasm-{group}") for group in groups]
    found += [pytest.param(native, group, id=f"native-{group}", marks=marks) for group in compiled]
    return pytest.mark.parametrize(("make", "group"), found)


@on_targets((), ("odd", "random"))
def test_every_program_gives_the_laws_bits(make: Make, group: str, tmp_path: Path) -> None:
    """In wasmtime, tests/agree/test_matrix.py tries every group."""
    cases, wanted = expected(group)
    said = differences(cases, wanted, Together("many", lambda: make(tmp_path)), tmp_path)
    assert not {name: text for name, text in said.items() if text}


@on_targets(("odd", "random"), ("odd",))
def test_devices_need_not_be_in_step(make: Make, group: str, tmp_path: Path) -> None:
    """Device d has seen d readings when they are first run together, so that other clocks fire."""
    target: Any = make(tmp_path)
    cases = [case for case in expected(group)[0] if len(case.program.clocks) > 1]
    for case in cases:
        run = case.runs[0]
        law = NumpyTarget().load(case.program, run.block)
        states = [law.run(initial_state(case.program), run.rows[:d])[0] for d in range(20)]
        given = np.frombuffer(b"".join(states), np.uint8).reshape(20, -1)
        rows = np.stack([run.rows[d % 10 : d % 10 + 10] for d in range(20)])
        answers = target.load(case.program, run.block).run_devices(given, rows)
        for found, right in zip(answers, law.run_devices(given, rows), strict=True):
            assert found.tobytes() == right.tobytes(), case.name
    assert len(cases) > 1
