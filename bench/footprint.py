"""What a model takes on a microcontroller. Run: python -m bench.footprint MODEL.bm [PROCESSOR] [--json].

Bytes of flash are what a cross compiler with -Os links for a step and all it calls; the bound of the
stack is what it says of the deepest path. Instructions and the stack that was really used are counted
on a simulated board while the model's golden vectors are run on it. Needs the compiler and qemu.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.simulate import count
from bimetal.bundle.seal import read
from bimetal.cli.toolbox import LocalTools
from bimetal.nouns.device import FLEET
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.shrink.machine import machine_of
from bimetal.shrink.measure import measure
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.vectors import decode

NAME = "p"


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of code with its constants, of parameters, of a device's state, of stack as bounded and as
    found; instructions of a reading, and how many readings that was found over."""

    processor: str
    compiler: str
    code_bytes: int
    parameter_bytes: int
    state_bytes: int
    stack_bound_bytes: int
    stack_found_bytes: int
    instructions_median: int
    instructions_most: int
    readings: int


def footprint(program: Program, block: bytes, rows: np.ndarray, processor: str = "cortex-m4") -> Footprint:
    """Compile a program, and run rows (n,) of its input struct on a simulated board."""
    machine, lay = machine_of(processor), layout_of(program)
    lowered = lower(program, check(program).ranges, in_one_piece)
    taken = measure(sources_of(program, lowered, block, NAME), NAME, machine, LocalTools())
    with tempfile.TemporaryDirectory() as folder:
        counted = count(program, block, rows, machine, Path(folder))
    return Footprint(
        processor=machine.name,
        compiler=taken.compiler,
        code_bytes=taken.flash_bytes - max(lay.params.size, 1),
        parameter_bytes=lay.params.size,
        state_bytes=lay.state.size,
        stack_bound_bytes=taken.stack_bytes,
        stack_found_bytes=int(counted.stack_bytes.max()),
        instructions_median=int(np.median(counted.instructions)),
        instructions_most=int(counted.instructions.max()),
        readings=len(rows),
    )


def main() -> None:
    """Print the footprint of a model file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("processor", nargs="?", default="cortex-m4")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    bundle = read(given.model).bundle
    rows = np.concatenate([run.rows for run in decode(bundle.program, bundle.vectors).runs])
    found = asdict(footprint(bundle.program, bundle.blocks[FLEET], rows, given.processor))
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name.replace('_', ' '):22} {value:>12}")


if __name__ == "__main__":
    main()
