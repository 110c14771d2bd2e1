"""Many devices in one call, four to a vector: the law's bits for each of them, in step or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bimetal.program.layout import initial_state
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.target import Target
from bimetal.targets.wasm_run import WasmTarget
from tests.agree.case import GROUPS, expected
from tests.agree.test_matrix import differences
from tests.agree.together import Together

TARGETS: tuple[type[Target], ...] = (WasmTarget,)


@pytest.mark.parametrize("kind", TARGETS, ids=lambda t: t.name)
@pytest.mark.parametrize("group", GROUPS)
def test_every_program_gives_the_laws_bits(group: str, kind: type[Target], tmp_path: Path) -> None:
    cases, wanted = expected(group)
    said = differences(cases, wanted, Together(kind()), tmp_path)
    assert not {name: text for name, text in said.items() if text}


@pytest.mark.parametrize("kind", TARGETS, ids=lambda t: t.name)
@pytest.mark.parametrize("group", ["odd", "random"])
def test_devices_need_not_be_in_step(group: str, kind: type[Target]) -> None:
    """Device d has seen d readings when they are first run together, so that other clocks fire."""
    seen = 0
    for case in expected(group)[0]:
        if len(case.program.clocks) == 1:
            continue
        run = case.runs[0]
        law = NumpyTarget().load(case.program, run.block)
        states = [law.run(initial_state(case.program), run.rows[:d])[0] for d in range(10)]
        rows = np.stack([run.rows[d : d + 10] for d in range(10)])
        after, outputs, fired = (
            kind()
            .load(case.program, run.block)
            .run_devices(  # type: ignore[attr-defined]
                np.stack([np.frombuffer(s, np.uint8) for s in states]), rows
            )
        )
        for d, state in enumerate(states):
            right = law.run(state, rows[d])
            assert after[d].tobytes() == right[0], f"{case.name}: state of device {d}"
            assert outputs[d].tobytes() == right[1].tobytes(), f"{case.name}: results of device {d}"
            assert list(fired[d]) == list(right[2]), f"{case.name}: what fired on device {d}"
        seen += 1
    assert seen > 1 or "detector" in group
