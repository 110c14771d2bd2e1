"""`bimetal verify`: the table of targets, and a target that lies in one bit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.cli import proving
from bimetal.program.program import Program
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget
from tests.cli.ground import call


@dataclass(frozen=True)
class Liar:
    """A target that gives the law's answers but for the lowest bit of one score."""

    name: str = "liar"

    def present(self) -> str:
        return ""

    def load(self, program: Program, block: bytes) -> Any:
        running = NumpyTarget().load(program, block)

        class Running:
            def run(self, state: bytes, rows: NDArray[Any]) -> tuple[bytes, NDArray[Any], NDArray[np.uint32]]:
                after, outputs, fired = running.run(state, rows)
                outputs = outputs.copy()
                outputs["score"].view(np.uint32)[len(rows) // 2] ^= 1
                return after, outputs, fired

        return Running()


@dataclass(frozen=True)
class Absent(Liar):
    """A target that is not here."""

    name: str = "absent"

    def present(self) -> str:
        return "Install it"


def only(monkeypatch: pytest.MonkeyPatch, *targets: object) -> None:
    """Let these be all targets there are."""
    monkeypatch.setattr(proving, "every_target", lambda *_: targets)


def test_targets_that_agree_are_told_and_one_that_is_absent_is_no_equal(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, NumpyTarget(), WasmTarget(), Absent())
    ended = call("verify", quiet / "quiet.bm")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "✓ numpy      32 of 32 vectors equal",
        "✓ wasm       32 of 32 vectors equal",
        "– absent   not here: Install it",
    ]


def test_one_bit_is_enough_for_exit_code_3(quiet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, NumpyTarget(), Liar())
    ended = call("verify", quiet / "quiet.bm")
    says = f"{quiet / 'quiet.bm'}: liar gave other bits. Report it with the model."
    assert ended.sentence(3) == says
    first, second = ended.out.splitlines()
    assert first == "✓ numpy      32 of 32 vectors equal"
    assert second.startswith("✗ liar        0 of 32 vectors equal  run ")
    assert " score is " in second


def test_figures_say_the_same(quiet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, NumpyTarget(), Liar(), Absent())
    ended = call("verify", quiet / "quiet.bm", "--json")
    assert ended.code == 3
    assert json.loads(ended.out) == [
        {"target": "numpy", "vectors": 32, "equal": 32},
        {"target": "liar", "vectors": 32, "equal": 0},
    ]
