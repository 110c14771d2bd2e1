"""What explaining costs on a Cortex-M4, in instructions of a reading. Run: python -m bench.explanation.

The default detector by number of signals: its score alone, with the share of each signal, and with a bank
of four known patterns, of which the nearest is told where an alarm may begin or last. The most of 300
readings, counted in qemu, with gcc -Os; the last column is beside the score alone of readings that are all
beyond its threshold. Needs arm-none-eabi-gcc and qemu-system-arm.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.simulate import most_instructions
from bimetal.learn.detector import Design, detector_program
from bimetal.learn.feedback import LEAST_ROOM, grafted
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.shrink.machine import machine_of

SIGNALS = (1, 3, 5, 8, 16, 38)
ROWS = 300
QUIET, LOUD = 1e3, 1e-3
"""Thresholds that no reading comes near, and that every reading is beyond once averages have settled."""


def instructions(program: Program, learned: Mapping[str, Any]) -> int:
    """Return the most instructions that a reading takes."""
    values = {p.name: np.full(p.shape, min(max(1.0, p.low), p.high)) for p in program.params} | dict(learned)
    rows = np.zeros(ROWS, layout_of(program).input.dtype)
    rng = np.random.default_rng(0)
    for place in program.inputs:
        rows[place.name] = rng.normal(size=ROWS)
    return most_instructions(program, pack(program, values), rows, machine_of("cortex-m4"))


def silent(program: Program) -> Program:
    """Return a detector that scores and tells nothing of why."""
    only = {"lately", "lasting"}  # what the score itself does not need
    return replace(
        program,
        outputs=tuple(o for o in program.outputs if o[0] not in ("share", "lasting")),
        sets=tuple(s for s in program.sets if s.state not in only),
        states=tuple(s for s in program.states if s.name not in only),
    )


def main() -> None:
    """Print a line for each number of signals."""
    print(f"{'':38s}with known patterns")
    print("signals  score alone    with shares      on everyday readings   where an alarm may be")
    for signals in SIGNALS:
        program, draft = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
        alone, bank = silent(program), grafted(program, LEAST_ROOM).program
        score, loud = (instructions(alone, draft.values | {"threshold": t}) for t in (QUIET, LOUD))
        found = [
            (instructions(form, draft.values | {"threshold": threshold}), beside)
            for form, threshold, beside in ((program, QUIET, score), (bank, QUIET, score), (bank, LOUD, loud))
        ]
        more = (f"{much:>9,} ({much / beside - 1:+6.1%})" for much, beside in found)
        print(f"{signals:>7}  {score:>11,}  {'      '.join(more)}", flush=True)


if __name__ == "__main__":
    main()
