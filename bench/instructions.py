"""Fit the figures for instructions of shrink/figures.py. Run: python bench/instructions.py [MACHINE...].

Runs every operator's examples, detectors of several sizes and random programs on a simulated Cortex-M,
with everyday readings and with the worst there are, and takes the most instructions for each set of
clocks that fired together. Prints the tables to paste: of programs whose family a fold had not seen,
nineteen in twenty took no more than value + error. Needs arm-none-eabi-gcc and qemu-system-arm.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpus import LAYERS, UPPER, Fit, family, measured_apart, programs, table, written
from simulate import BOARDS, count

from bimetal.program.layout import initial_state
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.shrink.estimate import SMALL_WORK
from bimetal.shrink.figures import WORK
from bimetal.shrink.kind import done_kinds
from bimetal.shrink.machine import Machine, machine_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.vectors import make_vectors

MOST_OPERATIONS = 40_000
"""Larger programs take the simulator too long."""


@dataclass(frozen=True, slots=True)
class Worked:
    """A program, what the clocks that fired together did by kind, and the most instructions it took."""

    name: str
    kinds: Counter[str]
    instructions: int


def work(machine: Machine, name: str, program: Program, block: bytes) -> Iterator[Worked]:
    """Run a program, and yield what it took for each set of clocks."""
    rows = np.concatenate([v.rows for v in make_vectors(program, block, seed=7, runs=10).runs])
    _, _, fired = NumpyTarget().load(program, block).run(initial_state(program), rows)
    with tempfile.TemporaryDirectory() as folder:
        counted = count(program, block, rows, machine, Path(folder)).instructions
    stages = lower(program, check(program).ranges, in_one_piece).stages
    for together in np.unique(fired):
        kinds: Counter[str] = Counter()
        for stage in stages:
            if together >> stage.bit & 1:
                kinds.update(done_kinds(stage))
        yield Worked(name, kinds, int(counted[fired == together].max()))


def fit(machine: Machine, worked: list[Worked]) -> None:
    """Print the rates and their error."""
    names = sorted({k for w in worked for k in w.kinds} - LAYERS)
    target = np.array([w.instructions for w in worked], float)
    families = [family(w.name) for w in worked]
    found = Fit(table([w.kinds for w in worked], names), target, SMALL_WORK, families, UPPER)
    error = np.quantile(found.short, 0.95)
    rates = written(found.weights, names, WORK[machine.figures].each)
    print(f'WORK    "{machine.figures}": Rates(\n        each={rates},')
    print(f"        error={error:.2f},\n    ),", flush=True)
    loose = (found.guess + error * (found.guess + SMALL_WORK)) / target
    worst = int(found.short.argmax())
    print(
        f"# {machine.name}: {len(worked)} sets of clocks, {target.min():.0f}..{target.max():.0f}; "
        f"{found.short[worst]:.1%} above at most ({worked[worst].name}); the most that is told is "
        f"{np.median(loose):.2f} times what was seen in the median, {np.quantile(loose, 0.9):.2f} at 90 %",
        file=sys.stderr,
        flush=True,
    )


def _fits(program: Program) -> bool:
    proof = check(program)
    small = proof.operations <= MOST_OPERATIONS
    return small and not measured_apart(lower(program, proof.ranges, in_one_piece))


def main(wanted: list[str]) -> None:
    """Run and fit, for every machine that has figures of its own and a simulated board."""
    given = [p for p in programs() if _fits(p[1])]
    for name in wanted or [name for name in BOARDS if machine_of(name).figures == name]:
        machine = machine_of(name)
        fit(machine, [w for which, program, block in given for w in work(machine, which, program, block)])


if __name__ == "__main__":
    main(sys.argv[1:])
