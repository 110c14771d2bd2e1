"""Measure how many instructions an elementary operation takes. Run: python bench/instructions.py.

Compiles operators and detectors with -Os, runs them in qemu-system-arm (one instruction is 64 ns there,
and its timer ticks at 25 MHz), and prints instructions per operation as verify.check counts them: the
figures of shrink/board.py. Needs arm-none-eabi-gcc and qemu-system-arm.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.code_size import COMPILERS, FLAGS, SOFT_SQRT, programs, run
from bimetal.program.verify import check
from bimetal.targets.c99 import Source, write_c99
from bimetal.targets.lower import lower

BOARD = Path(__file__).parent / "board"
MACHINES = {"cortex-m0plus": "mps2-an385", "cortex-m4f": "mps2-an386"}
TICKS_PER_INSTRUCTION = 1.6
LEAST_OPERATIONS = 20


def instructions(machine: str, source: Source, folder: Path) -> float:
    """Return the most instructions a step took in 20 readings."""
    (folder / "p.h").write_text(source.header)
    (folder / "p.c").write_text(source.code)
    prefix, *options = COMPILERS[machine]
    define = ["-DBIMETAL_SOFT_SQRT"] if machine in SOFT_SQRT else []
    link = ["-nostartfiles", "-Wl,--gc-sections", "-Wl,-e,reset", "-T", str(BOARD / "mps2.ld")]
    files = [str(BOARD / "start.c"), "p.c", "-I.", "-lm", "-o", "p.elf"]
    run([f"{prefix}-gcc", *options, *FLAGS, *define, *link, *files], folder)
    host = ["qemu-system-arm", "-M", MACHINES[machine], "-nographic", "-icount", "shift=6"]
    host += ["-semihosting-config", "enable=on,target=native", "-kernel", "p.elf"]
    done = subprocess.run(host, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout + done.stderr) / TICKS_PER_INSTRUCTION


def main() -> None:
    """Measure and print."""
    for machine in MACHINES:
        ratios: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            for name, program in programs():
                report = check(program)
                floats = all(i.dtype == "f32" for i in program.inputs)
                if not floats or name.startswith("random") or report.operations < LEAST_OPERATIONS:
                    continue
                source = write_c99(program, lower(program, report.ranges), "p")
                ratios.append(instructions(machine, source, Path(folder)) / report.operations)
                print(
                    f"# {machine} {name}: {report.operations} operations, {ratios[-1]:.2f} each",
                    file=sys.stderr,
                )
        low, middle, high = np.quantile(ratios, (0.1, 0.5, 0.9))
        print(
            f"{machine}: {middle:.1f} in the median of {len(ratios)} programs, "
            f"{low:.1f} to {high:.1f} for eight in ten"
        )


if __name__ == "__main__":
    main()
