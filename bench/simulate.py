"""Simulate: steps of a program on a board in qemu, each with its instructions and its depth of stack.

bench/board/count.c counts them, and paints the stack. On a Cortex-M an instruction is 64 ns (-icount
shift=6), and the timer ticks at 25 MHz. Needs the board's compiler and qemu.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bimetal.program.block import HEAD
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.shrink.machine import FLAGS, Machine
from bimetal.shrink.measure import MEMORY, STUBS
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower

BOARD = Path(__file__).parent / "board"
LONGEST_S = 240


@dataclass(frozen=True, slots=True)
class Simulator:
    """A board of qemu: its program, its machine, how an image is laid out and started.

    An instruction takes 2**shift ns, which are `ticks`.
    """

    program: str
    machine: tuple[str, ...]
    map: str
    start: str
    shift: int = 6
    ticks: float = 1.6


def _cortex(machine: str) -> Simulator:
    return Simulator("qemu-system-arm", (machine,), "mps2.ld", "start.c")


BOARDS: Mapping[str, Simulator] = {
    "cortex-m0plus": _cortex("mps2-an385"),
    "cortex-m3": _cortex("mps2-an385"),
    "cortex-m4": _cortex("mps2-an386"),
    "cortex-m7": _cortex("mps2-an500"),
    "rv32imc": Simulator(
        "qemu-system-riscv32",
        ("virt", "-bios", "none"),
        "virt.ld",
        "start_riscv.c",
        shift=0,
        ticks=1.0,
    ),
}
"""By kind of processor; code for a Cortex-M0+ runs on a Cortex-M3, which has more memory there."""


@dataclass(frozen=True, slots=True)
class Counted:
    """For each row (n,): instructions of its step, and bytes of stack it took."""

    instructions: NDArray[np.int64]
    stack_bytes: NDArray[np.int64]


def count(program: Program, block: bytes, rows: NDArray, machine: Machine, folder: Path) -> Counted:
    """Run rows (n,) of the input struct through a program on a simulated board, from its first state."""
    lay = layout_of(program)
    for file, data in sources_of(
        program, lower(program, check(program).ranges, in_one_piece), block, "p"
    ).items():
        (folder / file).write_bytes(data)
    (folder / "params").write_bytes(block[HEAD.size :])
    (folder / "rows").write_bytes(lay.input.conformed(rows).tobytes())
    board = BOARDS[machine.name]
    alone = ["-ffreestanding", "-isystem", "."] if machine.freestanding else []
    if machine.freestanding:
        for file, data in {**STUBS, "memory.c": MEMORY}.items():
            (folder / file).write_bytes(data)
    sizes = [f"-DPARAMS_SIZE={lay.params.size}", f"-DIN_SIZE={lay.input.size}", f"-I{BOARD}", "-I."]
    sources = [str(BOARD / board.start), str(BOARD / "count.c"), "p.c"]
    link = ["-nostartfiles", "-Wl,--gc-sections", f"-L{BOARD}", "-T", str(BOARD / board.map)]
    memory = ["memory.c", "-nodefaultlibs", "-lgcc"] if machine.freestanding else []
    compiler = [f"{machine.prefixes[0]}-gcc", *FLAGS, *machine.options, *alone, *sizes]
    _run([*compiler, *sources, *memory, *link, "-o", "p.elf"], folder)
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none", "-icount", f"shift={board.shift}"]
    host = ["-semihosting-config", "enable=on,target=native", "-kernel", "p.elf"]
    _run([board.program, "-M", *board.machine, *quiet, *host], folder)
    found = np.fromfile(folder / "counted", "<u4").reshape(-1, 2).astype(np.int64)
    if len(found) != len(rows):
        raise RuntimeError(f"{len(found)} of {len(rows)} rows came back")
    return Counted(np.round(found[:, 0] / board.ticks).astype(np.int64), found[:, 1])


def most_instructions(program: Program, block: bytes, rows: NDArray, machine: Machine) -> int:
    """Return the most instructions that one of these rows takes."""
    with tempfile.TemporaryDirectory() as folder:
        return int(count(program, block, rows, machine, Path(folder)).instructions.max())


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: {done.stderr[-1000:]}")
