"""Scripted: emitted modules in node, loaded by the script that pages use, many programs in one process."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.lower import lower
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_script import write_script
from tests.agree.compiled import HOST
from tests.agree.machine import Job, Outcome, jobs_of, outcomes_of

LONGEST_S = 120


@functools.cache
def module_of(program: Program) -> bytes:
    """Return the module of a program: the bytes that every engine runs."""
    return write_wasm(lower(program, check(program).ranges)).code


def written(programs: Sequence[Program], folder: Path) -> None:
    """Write every program's module and script, and what runs jobs with them."""
    shutil.copy(HOST / "jobs.mjs", folder)
    for k, program in enumerate(programs):
        (folder / f"p{k}.wasm").write_bytes(module_of(program))
        (folder / f"p{k}.js").write_text(write_script(program, f"p{k}"))


@dataclass(frozen=True, slots=True)
class Node:
    """WebAssembly in node."""

    name: str = "node"
    needs: tuple[str, ...] = ("node",)

    def refusal(self, program: Program) -> str:
        """Return "": it runs everything."""
        return ""

    def build(self, programs: Sequence[Program], folder: Path) -> NodeBuilt:
        """Write every program's module and script."""
        (folder / "package.json").write_text('{"type": "module"}')
        written(programs, folder)
        return NodeBuilt(folder, tuple(programs))


@dataclass(frozen=True, slots=True)
class NodeBuilt:
    """A folder of modules."""

    folder: Path
    programs: tuple[Program, ...]

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs in one process."""
        (self.folder / "jobs").write_bytes(jobs_of(self.programs, jobs))
        command = [shutil.which("node") or "node", str(HOST / "run.mjs"), str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return outcomes_of(self.programs, jobs, (self.folder / "results").read_bytes())
