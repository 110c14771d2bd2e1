"""Compiled: emitted C through a compiler, on this machine, under an emulator, or on a simulated board."""

from __future__ import annotations

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

HOST = Path(__file__).parent / "host"
BOARD = Path(__file__).parents[2] / "bench" / "board"
LONGEST_S = 120
FLAGS = ("-fno-math-errno", "-Wall", "-Wextra", "-Werror")
STACK = 1024
"""Bytes of stack that a board keeps beside scratch memory."""


@dataclass(frozen=True, slots=True)
class Board:
    """A simulated board: its machine in qemu-system-arm, its memory map, its bytes of RAM."""

    qemu: str
    map: str
    ram: int


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

    @property
    def needs(self) -> tuple[str, ...]:
        """The compiler, and what runs its programs."""
        return (self.compiler, *self.emulator[:1], *(["qemu-system-arm"] if self.board else []))

    def refusal(self, program: Program) -> str:
        """Return "" for a program whose memory a board has, else how much it takes."""
        if self.board is None:
            return ""
        lay = layout_of(program)
        held = sum(-(-max(x.size, 1) // 4) * 4 for x in (lay.state, lay.params, lay.input, lay.output))
        stack = lower(program, check(program).ranges, in_one_piece).scratch_bytes + STACK
        if held <= self.pool and self.pool + stack <= self.board.ram:
            return ""
        return f"{held} bytes of structs and {stack} of stack do not fit {self.board.ram} bytes of memory"

    def build(self, programs: Sequence[Program], folder: Path) -> CompiledBuilt:
        """Compile programs with the host that runs them."""
        (folder / "programs.c").write_text(table_of(programs))
        for k, program in enumerate(programs):
            source = write_c99(program, lower(program, check(program).ranges, in_one_piece), f"p{k}")
            (folder / f"p{k}.h").write_text(source.header)
            (folder / f"p{k}.c").write_text(source.code)
        sources = [f"p{k}.c" for k in range(len(programs))]
        options = [
            *self.options,
            *FLAGS,
            f"-ffp-contract={self.contract}",
            "-I.",
            f"-I{HOST}",
            "programs.c",
            str(HOST / "host.c"),
        ]
        if self.board:
            options += ["-DBOARD", f"-DPOOL={self.pool}", f"-I{BOARD}", str(BOARD / "start.c")]
            options += ["-nostartfiles", f"-L{BOARD}", "-T", str(BOARD / self.board.map)]
        else:
            options += ["-static"] if self.emulator else []
        run_tool([self.compiler, *options, *sources, "-x", "none", "-lm", "-o", "host"], folder)
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


def simulate(board: Board, image: str) -> list[str]:
    """Return the command that runs an image on a simulated board."""
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
    host = ["-semihosting-config", "enable=on,target=native"]
    return ["qemu-system-arm", "-M", board.qemu, *quiet, *host, "-kernel", image]


def run_tool(command: Sequence[str], folder: Path, given: bytes = b"") -> bytes:
    """Run a program in a folder; fails with what it said when it fails."""
    found = shutil.which(command[0], path=None) or str(folder / command[0])
    done = subprocess.run(
        [found, *command[1:]], cwd=folder, input=given, capture_output=True, timeout=LONGEST_S, check=False
    )
    said = (done.stderr + done.stdout)[-3000:].decode(errors="replace")
    assert done.returncode == 0, f"{command[0]} ended with status {done.returncode}: {said}"
    return done.stdout


def table_of(programs: Sequence[Program]) -> str:
    """Return `programs.c`: every program as host.c runs it."""
    lines = ['#include "host.h"', *(f'#include "p{k}.h"' for k in range(len(programs))), ""]
    rows: list[str] = []
    for k, program in enumerate(programs):
        lines.append(STEP.format(k=k))
        lay = layout_of(program)
        sizes = ", ".join(str(x.size) for x in (lay.state, lay.params, lay.input, lay.output))
        rows.append(f"    {{ {sizes}, init_{k}, step_{k} }},")
    return "\n".join([*lines, "const program programs[] = {", *rows, "};", COUNT.format(count=len(programs))])


STEP = """static void init_{k}(void *state)
{{
    p{k}_init((p{k}_state *)state);
}}

static uint32_t step_{k}(void *state, const void *params, const void *in, void *out)
{{
    return p{k}_step((p{k}_state *)state, (const p{k}_params *)params, (const p{k}_in *)in, (p{k}_out *)out);
}}
"""

COUNT = """
const uint32_t program_count = {count};
"""

MPS2 = 4 << 20
SOFT = "-DBIMETAL_SOFT_SQRT"
ARM = ("-std=c99", "-Os", "-mthumb", "-fno-tree-loop-distribute-patterns")
HARD = ("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
SANITIZERS = "-fsanitize=address,undefined,float-cast-overflow"

C99 = Compiled("c99", "gcc", ("-std=c99", "-O2"))
MACHINES = (
    C99,
    Compiled("c99-fastest", "gcc", ("-std=c99", "-O3", "-march=native")),
    Compiled("c99-sanitized", "gcc", ("-std=c99", "-O0", SANITIZERS, "-fno-sanitize-recover=all", SOFT)),
    Compiled("c99-clang", "clang", ("-std=c99", "-O3", "-march=native")),
    Compiled("c++", "g++", ("-x", "c++", "-std=c++17", "-O0")),
    Compiled(
        "cortex-m4f",
        "arm-none-eabi-gcc",
        (*ARM, "-mcpu=cortex-m4", *HARD),
        board=Board("mps2-an386", "mps2.ld", MPS2),
        pool=1 << 18,
    ),
    Compiled(
        "cortex-m3",
        "arm-none-eabi-gcc",
        (*ARM, "-mcpu=cortex-m3"),
        board=Board("mps2-an385", "mps2.ld", MPS2),
        pool=1 << 18,
    ),
    Compiled(
        "cortex-m0",
        "arm-none-eabi-gcc",
        (*ARM, "-mcpu=cortex-m0", SOFT),
        board=Board("microbit", "microbit.ld", 16 << 10),
        pool=11 << 10,
    ),
    Compiled(
        "s390x",
        "s390x-linux-gnu-gcc",
        ("-std=c99", "-O2", "-fexcess-precision=fast"),
        ("qemu-s390x",),
        big_endian=True,
    ),
)
"""Every machine that emitted C is compiled for here."""
