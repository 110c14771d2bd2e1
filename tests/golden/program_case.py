"""Golden programs: a folder holds a program, readings, and all that must come of them. Anew: see main.

| file | what |
| --- | --- |
| program.json | an operator by its name, with settings and inputs, or a detector by its number of signals |
| input.csv | a line for each reading; an empty cell is a gap |
| expected.csv | what fired, and the results, floats with all the digits that tell them apart |
| emitted.c | the program as C99 |
| sizes.json | bytes of state, parameters, scratch memory and wasm; of code on a Cortex-M4; instructions |

Whoever changes what is emitted runs `python -m tests.golden.program_case` and looks at what git shows.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.footprint import footprint
from bimetal.learn.detector import Design, detector_program
from bimetal.program.block import pack
from bimetal.program.layout import Layout, initial_state, layout_of
from bimetal.program.node import DTYPES
from bimetal.program.operator import operators, wire
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.c99 import Source, write_c99
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm import write_wasm

FOLDER = Path(__file__).parent / "programs"
NEEDS = ("arm-none-eabi-gcc", "arm-none-eabi-size", "qemu-system-arm")
KEPT = ("compiler", "code_bytes", "stack_bound_bytes", "stack_found_bytes", "instructions_most")
NAME = "p"


@dataclass(frozen=True, slots=True)
class Case:
    """A folder, and the program in it."""

    folder: Path
    program: Program
    block: bytes

    def rows(self) -> NDArray[Any]:
        """The readings of input.csv."""
        layout = layout_of(self.program).input
        with (self.folder / "input.csv").open(encoding="ascii", newline="") as file:
            head, *lines = list(csv.reader(file))
        assert head == columns(layout), f"{self.folder.name}: the columns must be {columns(layout)}"
        rows = np.zeros(len(lines), layout.dtype)
        for row, line in enumerate(lines):
            values = iter(line or [""])
            for field in layout.fields:
                cells = [next(values) for _ in range(count_of(field.shape))]
                kind = np.float32 if field.dtype == "f32" else DTYPES[field.dtype]
                array = np.array([cell or "nan" for cell in cells]).astype(np.float64).astype(kind)
                rows[field.name][row] = array.reshape(field.shape)
        return rows

    def answers(self) -> str:
        """What the law says, as expected.csv holds it."""
        _, outputs, fired = (
            NumpyTarget().load(self.program, self.block).run(initial_state(self.program), self.rows())
        )
        return table(layout_of(self.program).output, outputs, fired)

    def source(self) -> Source:
        """The program as C99."""
        return write_c99(self.program, lower(self.program, check(self.program).ranges), NAME)

    def sizes(self) -> dict[str, Any]:
        """What can be told without a compiler."""
        report = check(self.program)
        lowered = lower(self.program, report.ranges)
        return {
            "state_bytes": report.state_bytes,
            "parameter_bytes": report.parameter_bytes,
            "scratch_bytes": lowered.scratch_bytes,
            "operations": report.operations,
            "wasm_bytes": len(write_wasm(lowered).code),
        }


def cases() -> Iterator[Case]:
    """Every folder that holds a program."""
    for file in sorted(FOLDER.glob("*/program.json")):
        program, values = described(json.loads(file.read_text(encoding="utf-8")))
        yield Case(file.parent, program, pack(program, values))


def described(said: dict[str, Any]) -> tuple[Program, dict[str, NDArray[Any]]]:
    """Return the program of a description, and its parameters' values."""
    if "detector" in said:
        design = Design(said["detector"])
        program, draft = detector_program(design, [f"x{k}" for k in range(design.signals)])
        return program, draft.values
    settings = {name: frozen(value) for name, value in said.get("settings", {}).items()}
    operator = operators()[said["operator"]](**settings)
    signals = [np.zeros((1, *i.get("shape", ())), form(i.get("type", "f32"))) for i in said["inputs"]]
    return wire(operator, signals)


def form(dtype: str) -> np.dtype[Any]:
    """Return the NumPy type of an input."""
    return np.dtype(np.bool_) if dtype == "b1" else DTYPES[dtype]


def frozen(value: Any) -> Any:
    """Return lists as tuples."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def count_of(shape: tuple[int, ...]) -> int:
    """Return how many elements a shape has."""
    return int(np.prod(shape, dtype=int))


def columns(layout: Layout) -> list[str]:
    """Return a column for every element of a struct."""
    return [
        f.name if not f.shape else f"{f.name}_{k}" for f in layout.fields for k in range(count_of(f.shape))
    ]


def table(layout: Layout, outputs: NDArray[Any], fired: NDArray[np.uint32]) -> str:
    """Return results as CSV; clocks are bits, floats have the fewest digits that tell them apart."""
    lines = [",".join(["fired", *columns(layout)])]
    for row, bits in enumerate(fired):
        values = [v for f in layout.fields for v in np.asarray(outputs[f.name][row]).reshape(-1)]
        lines.append(",".join([f"{bits:b}", *map(str, values)]))
    return "\n".join(lines) + "\n"


def compiler() -> str:
    """Return the compiler of a Cortex-M4 with its version, "" where that or its emulator is missing."""
    if not all(map(shutil.which, NEEDS)):
        return ""
    done = subprocess.run([NEEDS[0], "-dumpfullversion"], capture_output=True, text=True, check=True)
    return f"{NEEDS[0]} {done.stdout.strip()}"


def on_cortex_m4(case: Case) -> dict[str, Any]:
    """Return what a Cortex-M4 takes for the readings of input.csv."""
    found = asdict(footprint(case.program, case.block, case.rows()))
    return {name: found[name] for name in KEPT}


def main() -> None:
    """Write everything but program.json and input.csv anew."""
    if not compiler():
        sys.exit(f"needs {', '.join(NEEDS)}")
    for case in cases():
        sizes = {**case.sizes(), "cortex_m4": on_cortex_m4(case)}
        texts = {
            "expected.csv": case.answers(),
            "emitted.c": case.source().code,
            "sizes.json": json.dumps(sizes, indent=2) + "\n",
        }
        for file, text in texts.items():
            (case.folder / file).write_text(text, encoding="ascii", newline="\n")
        print(case.folder.name)


if __name__ == "__main__":
    main()
