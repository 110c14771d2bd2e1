"""Programs in processes of their own: the product's C and node targets, and what is told when they fail."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from bimetal.cli.toolbox import LocalTools
from bimetal.nouns.errors import BadInput, Broken, Unsupported
from bimetal.program.layout import initial_state
from bimetal.targets.c99_run import COMPILERS, C99Target
from bimetal.targets.outside import OutsideRunning
from bimetal.targets.toolbox import Done
from bimetal.targets.wasm_node import NodeTarget
from tests.agree.random_program import random_rows
from tests.targets.given import TOOLS, detector, small

ROWS = random_rows(small()[0], 1, 3)


FINE = Done(0, b"", "")


@dataclass
class FakeTools:
    """A machine with some programs that all end the same way."""

    programs: Sequence[str] = ("gcc", "node")
    done: Done = FINE
    commands: list[tuple[str, ...]] = field(default_factory=list)

    def find(self, name: str) -> str:
        """Every program is in /bin."""
        return f"/bin/{name}" if name in self.programs else ""

    def run(self, command: Sequence[str], given: bytes, folder: str) -> Done:
        """Nothing is run."""
        self.commands.append(tuple(command))
        return self.done

    def folder(self) -> tempfile.TemporaryDirectory[str]:
        """A real folder."""
        return tempfile.TemporaryDirectory()

    def write(self, path: str, data: bytes) -> None:
        """A real file."""
        Path(path).write_bytes(data)


@pytest.mark.parametrize("make", [C99Target, NodeTarget])
def test_nothing_is_run_without_tools(make: type[C99Target | NodeTarget]) -> None:
    target = make()
    assert "not allowed from here" in target.present()
    with pytest.raises(Unsupported, match="not allowed from here"):
        target.load(*small())


@pytest.mark.parametrize(("make", "missing"), [(C99Target, "no C compiler"), (NodeTarget, "node is missing")])
def test_a_missing_program_is_told_with_what_to_do(make: type[C99Target | NodeTarget], missing: str) -> None:
    target = make(FakeTools(programs=()))
    assert missing in target.present()
    assert "install" in target.present()
    with pytest.raises(Unsupported, match=missing):
        target.load(*small())


@pytest.mark.parametrize("there", COMPILERS)
def test_any_compiler_will_do(there: str) -> None:
    tools = FakeTools(programs=(there,))
    C99Target(tools).load(*small())
    assert tools.commands[0][0] == f"/bin/{there}"


@pytest.mark.parametrize("make", [C99Target, NodeTarget])
def test_a_block_that_does_not_fit_is_refused_before_anything_runs(
    make: type[C99Target | NodeTarget],
) -> None:
    tools = FakeTools()
    with pytest.raises(BadInput):
        make(tools).load(small()[0], detector(1)[1])
    assert not tools.commands


def test_a_compiler_that_refuses_is_our_fault() -> None:
    tools = FakeTools(done=Done(1, b"", "model.c:1: error: no"))
    with pytest.raises(Broken, match="the compiler refuses the emitted code: model"):
        C99Target(tools).load(*small())


@pytest.mark.parametrize(
    "done", [Done(3, b"", "it crashed"), Done(0, b"too short", "it crashed"), Done(-11, b"", "it crashed")]
)
def test_a_program_that_fails_says_what_it_said(done: Done) -> None:
    program, block = small()
    running = OutsideRunning(program, ("/bin/model",), block, FakeTools(done=done), TOOLS.folder())
    with pytest.raises(Broken, match="it crashed"):
        running.run(initial_state(program), ROWS)


def test_what_does_not_fit_is_refused_before_anything_runs() -> None:
    program, block = small()
    tools = FakeTools()
    running = OutsideRunning(program, ("/bin/model",), block, tools, TOOLS.folder())
    for state, rows in ((b"", ROWS), (initial_state(program), ROWS[None])):
        with pytest.raises(BadInput, match="do not fit a program"):
            running.run(state, rows)
    with pytest.raises(BadInput, match="are not rows of"):
        running.run(initial_state(program), np.zeros(2, [("x", "<f4")]))
    assert not tools.commands


def test_a_program_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("bimetal.cli.toolbox.LONGEST_S", 0.2)
    with pytest.raises(Unsupported, match="did not end within"):
        LocalTools().run(["sleep", "30"], b"", str(tmp_path))
    with pytest.raises(Unsupported, match="cannot be started"):
        LocalTools().run([str(tmp_path / "nothing")], b"", str(tmp_path))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(C99Target(TOOLS), marks=pytest.mark.needs("gcc"), id="c99"),
        pytest.param(NodeTarget(TOOLS), marks=pytest.mark.needs("node"), id="node"),
    ],
)
def test_no_readings_are_none(target: C99Target | NodeTarget) -> None:
    program, block = small()
    state, outputs, fired = target.load(program, block).run(initial_state(program), ROWS[:0])
    assert (state, len(outputs), len(fired)) == (initial_state(program), 0, 0)
