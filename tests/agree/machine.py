"""Machine: a place where many programs are built together and run as jobs; what tests/agree compares.

A target of the product loads one program and runs one device. Here hundreds of programs go through one
compiler call and one process, so that the whole matrix is quick. `jobs_of` and `outcomes_of` are the
bytes that go in and come out, as host/host.c and host/run.mjs read and write them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.program.block import HEAD
from bimetal.program.layout import Layout, initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.target import Target
from bimetal.targets.wasm_run import WasmTarget


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One device: which program of those that were built, its parameter block, rows, and the state it
    starts from; None for the first state, as the machine itself makes it."""

    which: int
    block: bytes
    rows: NDArray[Any]
    state: bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of a job: results (n,), which clocks fired (n,), the state at the end.

    Between the fields of results anything may lie; a state is equal in every byte.
    """

    outputs: NDArray[Any]
    fired: NDArray[np.uint32]
    state: bytes


class Built(Protocol):
    """Programs, ready to run."""

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs, one after the other."""
        ...


class Machine(Protocol):
    """A place where programs run."""

    @property
    def name(self) -> str:
        """What tests call it."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """The outside programs it takes."""
        ...

    def refusal(self, program: Program) -> str:
        """Return "" for a program that can run there, else why not."""
        ...

    def build(self, programs: Sequence[Program], folder: Path) -> Built:
        """Build programs in an empty folder."""
        ...


@dataclass(frozen=True, slots=True)
class Inside:
    """A target of the product that needs no process of its own; made anew for each build."""

    name: str
    make: Callable[[], Target]
    needs: tuple[str, ...] = ()

    def refusal(self, program: Program) -> str:
        """Return "": it runs everything."""
        return ""

    def build(self, programs: Sequence[Program], folder: Path) -> InsideBuilt:
        """Keep the programs; loading one is quick."""
        return InsideBuilt(self.make(), tuple(programs))


@dataclass(frozen=True, slots=True)
class InsideBuilt:
    """Programs on a target of the product, one device at a time; together.py takes many."""

    target: Target
    programs: tuple[Program, ...]

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs, one after the other."""
        return [self._outcome(job) for job in jobs]

    def _outcome(self, job: Job) -> Outcome:
        program = self.programs[job.which]
        start = initial_state(program) if job.state is None else job.state
        state, outputs, fired = self.target.load(program, job.block).run(start, job.rows)
        return Outcome(outputs, fired, state)


LAW = Inside("numpy", NumpyTarget)
WASM = Inside("wasm", WasmTarget)


def jobs_of(programs: Sequence[Program], jobs: Sequence[Job], *, big_endian: bool = False) -> bytes:
    """Return jobs as bytes; structs in the machine's own order of bytes."""
    parts: list[bytes] = []
    for job in jobs:
        lay = layout_of(programs[job.which])
        head = (job.which, len(job.rows), int(job.state is None))
        parts += [value.to_bytes(4, "little") for value in head]
        for layout, data in (
            (lay.state, job.state or b""),
            (lay.params, job.block[HEAD.size :]),
            (lay.input, lay.input.conformed(job.rows).tobytes()),
        ):
            parts.append(turned(data, layout, to_big=True) if big_endian else data)
    return b"".join(parts)


def outcomes_of(
    programs: Sequence[Program], jobs: Sequence[Job], data: bytes, *, big_endian: bool = False
) -> list[Outcome]:
    """Return what came of jobs from the bytes a machine gave; raises ValueError where some are missing."""
    found: list[Outcome] = []
    at = 0
    for job in jobs:
        lay = layout_of(programs[job.which])
        n, width = len(job.rows), lay.output.size + 4
        end = at + n * width
        table = np.frombuffer(data, np.uint8, count=n * width, offset=at).reshape(n, width)
        outputs, state = table[:, :-4].tobytes(), data[end : end + lay.state.size]
        if big_endian:
            outputs, state = turned(outputs, lay.output), turned(state, lay.state)
        fired = np.frombuffer(table[:, -4:].tobytes(), "<u4").astype(np.uint32)
        found.append(Outcome(structs(outputs, lay.output, n), fired, state))
        at = end + lay.state.size
    if at != len(data):
        raise ValueError(f"{len(data)} bytes came back, not {at}")
    return found


def structs(data: bytes, layout: Layout, count: int) -> NDArray[Any]:
    """Return bytes as structs; structs without fields have none."""
    return np.frombuffer(data, layout.dtype, count=count) if layout.size else np.zeros(count, layout.dtype)


def turned(data: bytes, layout: Layout, *, to_big: bool = False) -> bytes:
    """Return structs in the other order of bytes, element by element; 0 between fields."""
    if not layout.size:
        return data
    big = layout.dtype.newbyteorder(">")
    source, wanted = (layout.dtype, big) if to_big else (big, layout.dtype)
    before = np.frombuffer(data, source)
    after = np.frombuffer(bytearray(len(data)), wanted)
    for field in layout.fields:
        after[field.name] = before[field.name]
    return after.tobytes()


def absence(machine: Machine) -> str:
    """Return "" where the tools of a machine are here, else which are not."""
    missing = [name for name in machine.needs if shutil.which(name) is None]
    return f"needs {', '.join(missing)}, which is not installed here" if missing else ""
