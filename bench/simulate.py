"""Simulate: steps of a program on a Cortex-M in qemu, each with its instructions and its depth of stack.

Needs arm-none-eabi-gcc and qemu-system-arm, where an instruction is 64 ns (-icount shift=6) and the timer
ticks at 25 MHz; bench/board/count.c reads it, and paints the stack.
"""

from __future__ import annotations

import subprocess
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
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower

BOARD = Path(__file__).parent / "board"
BOARDS: Mapping[str, str] = {
    "cortex-m0plus": "mps2-an385",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
}
"""Which board of qemu runs what; code for a Cortex-M0+ runs on a Cortex-M3, which has more memory there."""

TICKS_PER_INSTRUCTION = 1.6
LONGEST_S = 240


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
    sizes = [f"-DPARAMS_SIZE={lay.params.size}", f"-DIN_SIZE={lay.input.size}"]
    sources = [str(BOARD / "start.c"), str(BOARD / "count.c"), "p.c"]
    link = ["-nostartfiles", "-Wl,--gc-sections", f"-L{BOARD}", "-T", str(BOARD / "mps2.ld")]
    options = [*FLAGS, *machine.options, "-I.", f"-I{BOARD}", *sizes]
    _run(["arm-none-eabi-gcc", *options, *sources, *link, "-o", "p.elf"], folder)
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none", "-icount", "shift=6"]
    host = ["-semihosting-config", "enable=on,target=native", "-kernel", "p.elf"]
    _run(["qemu-system-arm", "-M", BOARDS[machine.name], *quiet, *host], folder)
    found = np.fromfile(folder / "counted", "<u4").reshape(-1, 2).astype(np.int64)
    if len(found) != len(rows):
        raise RuntimeError(f"{len(found)} of {len(rows)} rows came back")
    return Counted(np.round(found[:, 0] / TICKS_PER_INSTRUCTION).astype(np.int64), found[:, 1])


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: {done.stderr[-1000:]}")
