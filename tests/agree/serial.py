"""Serial: an AVR of 8 bits in simavr; jobs lie in its flash, results come over its serial line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bimetal.program.block import HEAD
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from tests.agree.compiled import COUNT, FLAGS, HOST, INIT, emitted, run_tool
from tests.agree.machine import Job, Outcome, jobs_of, outcomes_of

RAM = 8 << 10
FLASH = 24_000
"""Bytes of jobs in an image at most; an array in flash has fewer than 32,768."""
STACK = 640
"""Bytes of RAM that calls, numbers in software and the host take beside scratch memory and structs."""
GCC = (
    "avr-gcc",
    "-std=gnu99",
    "-Os",
    "-mmcu=atmega2560",
    "-ffp-contract=off",
    "-DSERIAL",
    "-I.",
    f"-I{HOST}",
)
SIMAVR = ("simavr", "-m", "atmega2560", "-f", "16000000", "image")


@dataclass(frozen=True, slots=True)
class Serial:
    """An ATmega2560: int has 16 bits, double is float, constants lie in flash."""

    name: str = "avr"
    needs: tuple[str, ...] = ("avr-gcc", "simavr")

    def refusal(self, program: Program) -> str:
        """Return "" for a program whose memory the board has, else how much it takes."""
        held, stack = pool_bytes(program), emitted(program, "p0").scratch_bytes + STACK
        if held + stack <= RAM:
            return ""
        return f"{held} bytes of structs and {stack} of stack do not fit {RAM} bytes of memory"

    def build(self, programs: Sequence[Program], folder: Path) -> SerialBuilt:
        """Compile every program, and the host that runs it, into a folder of its own."""
        for k, program in enumerate(programs):
            place = folder / f"program{k}"
            place.mkdir()
            source = emitted(program, "p0")
            (place / "p0.h").write_text(source.header)
            (place / "p0.c").write_text(source.code)
            sources = [str(HOST / "host.c"), "p0.c"]
            run_tool([*GCC, *FLAGS, f"-DPOOL={pool_bytes(program)}", "-c", *sources], place)
        return SerialBuilt(folder, tuple(programs))


@dataclass(frozen=True, slots=True)
class SerialBuilt:
    """A folder of programs, to be linked with their jobs."""

    folder: Path
    programs: tuple[Program, ...]

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run the jobs of each program with one block in one simulation, if they fit into flash."""
        found: dict[int, Outcome] = {}
        for places in shares(self.programs, jobs):
            first = jobs[places[0]]
            program, folder = self.programs[first.which], self.folder / f"program{first.which}"
            own = [replace(jobs[j], which=0, block=b"") for j in places]
            results = said(program, first.block[HEAD.size :], jobs_of([program], own), folder)
            found |= dict(zip(places, outcomes_of([program], own, results), strict=True))
        return [found[j] for j in range(len(jobs))]


def pool_bytes(program: Program) -> int:
    """Return the bytes of RAM that the host needs for the structs of a program; parameters stay in flash."""
    lay = layout_of(program)
    return sum(-(-max(x.size, 1) // 4) * 4 for x in (lay.state, lay.input, lay.output)) + 4


def shares(programs: Sequence[Program], jobs: Sequence[Job]) -> Iterator[list[int]]:
    """Yield places of jobs that one image holds: of one program, with one block, few enough bytes."""
    kinds: dict[tuple[int, bytes], list[int]] = {}
    for j, job in enumerate(jobs):
        kinds.setdefault((job.which, job.block), []).append(j)
    for (which, _), places in kinds.items():
        share, held = list[int](), 0
        for j in places:
            size = len(jobs_of([programs[which]], [replace(jobs[j], which=0, block=b"")]))
            if share and held + size > FLASH:
                yield share
                share, held = [], 0
            share, held = [*share, j], held + size
        yield share


def said(program: Program, params: bytes, jobs: bytes, folder: Path) -> bytes:
    """Link a program with its parameters and jobs, simulate it, and return what it says."""
    lay = layout_of(program)
    sizes = f"{lay.state.size}, 0, {lay.input.size}, {lay.output.size}"
    texts = [DATA.format(name=n, bytes=numbers(data)) for n, data in (("params", params), ("jobs", jobs))]
    size = f"const uint16_t job_bytes = {len(jobs)};\n"
    (folder / "programs.c").write_text(
        "\n".join([HEADER, *texts, size, INIT.format(k=0), STEP.format(sizes=sizes), COUNT.format(count=1)])
    )
    run_tool([*GCC, *FLAGS, "programs.c", "host.o", "p0.o", "-lm", "-o", "image"], folder)
    text = run_tool(SIMAVR, folder, errors=True).decode("ascii", errors="replace")
    return bytes.fromhex("".join(re.findall(r":([0-9a-f]+)", text)))


def numbers(data: bytes) -> str:
    """Return bytes as C writes them; an array has one at least."""
    return ", ".join(map(str, data or b"\0"))


HEADER = '#include "host.h"\n#include "p0.h"\n'
DATA = "extern const __flash uint8_t {name}[];\nconst __flash uint8_t {name}[] = {{ {bytes} }};\n"
STEP = """static uint32_t step_0(void *state, const void *unused, const void *in, void *out)
{{
    (void)unused;
    return p0_step((p0_state *)state, (const __flash p0_params *)params, (const p0_in *)in, (p0_out *)out);
}}

const program programs[] = {{ {{ {sizes}, init_0, step_0 }} }};
"""
