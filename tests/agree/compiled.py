"""Compiled: emitted C through a compiler, on this machine, under an emulator, or on a simulated board."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.c99 import write_c99
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from tests.agree.machine import Job, Outcome, jobs_of, outcomes_of
from tests.agree.zig import zig

HOST = Path(__file__).parent / "host"
BOARD = Path(__file__).parents[2] / "bench" / "board"
LONGEST_S = 580
FLAGS = ("-fno-math-errno", "-Wall", "-Wextra", "-Wconversion", "-Werror")
STACK = 1024
"""Bytes of stack that a board keeps beside scratch memory."""


@dataclass(frozen=True, slots=True)
class Board:
    """A simulated board: simulator and machine, how an image is started and laid out, bytes of RAM."""

    qemu: tuple[str, ...]
    start: str
    map: str
    ram: int


@dataclass(frozen=True, slots=True)
class Emitted:
    """C of one program by the name of its files, and the scratch memory it puts on the stack."""

    name: str
    header: str
    code: str
    scratch_bytes: int


@functools.cache
def emitted(program: Program, name: str) -> Emitted:
    """Return a program as C; every machine compiles the same text."""
    lowered = lower(program, check(program).ranges, in_one_piece)
    source = write_c99(program, lowered, name)
    return Emitted(name, source.header, source.code, lowered.scratch_bytes)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiler with its options, and what runs the result: nothing, an emulator, or a board.

    `pool` bounds the bytes of state, parameters, reading and result of one program on a board; `contract`
    says whether the compiler may contract operations, were it not for what the emitted code says.
    """

    name: str
    compiler: str
    options: tuple[str, ...]
    emulator: tuple[str, ...] = ()
    big_endian: bool = False
    board: Board | None = None
    pool: int = 0
    contract: str = "off"
    linked: tuple[str, ...] = ("-static",)

    @property
    def needs(self) -> tuple[str, ...]:
        """The compiler, and what runs its programs."""
        compiler = () if self.compiler == "zig" and zig() else (self.compiler,)
        return (*compiler, *self.emulator[:1], *(self.board.qemu[:1] if self.board else ()))

    def refusal(self, program: Program) -> str:
        """Return "" for a program whose memory a board has, else how much it takes."""
        if self.board is None:
            return ""
        held, stack = held_bytes(program), emitted(program, "p").scratch_bytes + STACK
        if held <= self.pool and self.pool + stack <= self.board.ram:
            return ""
        return f"{held} bytes of structs and {stack} of stack do not fit {self.board.ram} bytes of memory"

    def build(self, programs: Sequence[Program], folder: Path) -> CompiledBuilt:
        """Compile programs with the host that runs them."""
        sources = [emitted(program, f"p{k}") for k, program in enumerate(programs)]
        (folder / "programs.c").write_text(table_of(programs))
        for source in sources:
            (folder / f"{source.name}.h").write_text(source.header)
            (folder / f"{source.name}.c").write_text(source.code)
        options = [*self.options, *FLAGS, f"-ffp-contract={self.contract}", "-I.", f"-I{HOST}"]
        if self.board:
            options += ["-DBOARD", f"-DPOOL={self.pool}", f"-I{BOARD}", str(BOARD / self.board.start)]
            options += ["-nostartfiles", f"-L{BOARD}", "-T", str(BOARD / self.board.map)]
        else:
            options += self.linked if self.emulator else []
        files = ["programs.c", str(HOST / "host.c"), *(f"{source.name}.c" for source in sources)]
        run_tool([self.compiler, *options, *files, "-x", "none", "-lm", "-o", "host"], folder)
        return CompiledBuilt(self, folder, tuple(programs))


@dataclass(frozen=True, slots=True)
class CompiledBuilt:
    """A folder with an executable that runs jobs."""

    machine: Compiled
    folder: Path
    programs: tuple[Program, ...]

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs in one process."""
        big = self.machine.big_endian
        given = jobs_of(self.programs, jobs, big_endian=big)
        if self.machine.board is None:
            results = run_tool([*self.machine.emulator, "./host"], self.folder, given)
        else:
            (self.folder / "jobs").write_bytes(given)
            run_tool(simulate(self.machine.board, "host"), self.folder)
            results = (self.folder / "results").read_bytes()
        return outcomes_of(self.programs, jobs, results, big_endian=big)


def held_bytes(program: Program) -> int:
    """Return the bytes of the four structs of a program, as the host lays them into its pool."""
    lay = layout_of(program)
    return sum(-(-max(x.size, 1) // 4) * 4 for x in (lay.state, lay.params, lay.input, lay.output))


def simulate(board: Board, image: str) -> list[str]:
    """Return the command that runs an image on a simulated board."""
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
    host = ["-semihosting-config", "enable=on,target=native"]
    return [board.qemu[0], "-M", *board.qemu[1:], *quiet, *host, "-kernel", image]


def run_tool(command: Sequence[str], folder: Path, given: bytes = b"", *, errors: bool = False) -> bytes:
    """Run a program in a folder and return what it said, as errors too; fails with that when it fails."""
    found = zig() if command[0] == "zig" else shutil.which(command[0]) or str(folder / command[0])
    done = subprocess.run(
        [found, *command[1:]], cwd=folder, input=given, capture_output=True, timeout=LONGEST_S, check=False
    )
    said = (done.stderr + done.stdout)[-3000:].decode(errors="replace")
    assert done.returncode == 0, f"{command[0]} ended with status {done.returncode}: {said}"
    return done.stdout + done.stderr if errors else done.stdout


def table_of(programs: Sequence[Program]) -> str:
    """Return `programs.c`: every program as host.c runs it."""
    lines = ['#include "host.h"', *(f'#include "p{k}.h"' for k in range(len(programs))), ""]
    rows: list[str] = []
    for k, program in enumerate(programs):
        lines += [INIT.format(k=k), STEP.format(k=k)]
        lay = layout_of(program)
        sizes = ", ".join(str(x.size) for x in (lay.state, lay.params, lay.input, lay.output))
        rows.append(f"    {{ {sizes}, init_{k}, step_{k} }},")
    return "\n".join([*lines, "const program programs[] = {", *rows, "};", COUNT.format(count=len(programs))])


INIT = """static void init_{k}(void *state)
{{
    p{k}_init((p{k}_state *)state);
}}
"""

STEP = """static uint32_t step_{k}(void *state, const void *params, const void *in, void *out)
{{
    return p{k}_step((p{k}_state *)state, (const p{k}_params *)params, (const p{k}_in *)in, (p{k}_out *)out);
}}
"""

COUNT = """
const uint32_t program_count = {count};
"""
