"""What it costs and loses to keep very many signals within a microcontroller. Run: python -m bench.wide.

Every series of the public sets with more signals than fit whole into 16 KB, and servers of SMD side by side,
76 and 100 signals (faulty where one of them is): bytes of state, parameters and scratch memory, instructions
a reading on a Cortex-M4 (qemu, gcc -Os), and VUS-PR, of the tier for microcontrollers and that for servers.
Needs arm-none-eabi-gcc and qemu-system-arm, and the data that bench.detect needs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.detect.__main__ import PROMISE_ROWS, data_folder
from bench.detect.series import SETS, Series
from bench.detect.shipped import shipped
from bench.detect.tally import Tally
from bench.simulate import most_instructions
from bimetal.learn.calibrate import parse_budget
from bimetal.learn.detector import Design, detector_program
from bimetal.learn.search import Tier, design_for, state_bytes
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.verify import check
from bimetal.shrink.machine import machine_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.vectors import make_vectors

WIDE = 47
"""With fewer signals nothing is left out."""


def beside(folder: Path, servers: int, signals: int) -> Iterator[Series]:
    """Yield servers of SMD side by side, their first so many signals; all of them end with the shortest."""
    for some in combinations(SETS["smd"](folder), servers):
        learn, rest = min(s.learn for s in some), min(len(s.values) - s.learn for s in some)
        rows = [slice(s.learn - learn, s.learn + rest) for s in some]
        values = np.hstack([s.values[r] for s, r in zip(some, rows, strict=True)])[:, :signals]
        labels = np.max([s.labels[r] for s, r in zip(some, rows, strict=True)], axis=0)
        yield Series(" ".join(s.name for s in some), values, labels, learn, 60.0)


def wide(folder: Path) -> Iterator[tuple[str, list[Series]]]:
    """Yield sets of wide series."""
    for name in ("tep", "smap_msl_all", "tsb_ad"):
        yield name, [s for s in SETS[name](folder) if s.values.shape[1] >= WIDE]
    yield "smd, two servers", list(beside(folder, 2, 76))
    yield "smd, three servers", list(beside(folder, 3, 100))


def cost(design: Design) -> str:
    """Return what a detector takes on a Cortex-M4."""
    program, draft = detector_program(design, [f"x{k}" for k in range(design.signals)])
    block = pack(program, draft.values)
    rows = np.concatenate([v.rows for v in make_vectors(program, block, seed=7, runs=2).runs])
    most = most_instructions(program, block, rows, machine_of("cortex-m4"))
    scratch = lower(program, check(program).ranges, in_one_piece).scratch_bytes
    return f"{state_bytes(design):>8,} {layout_of(program).params.size:>9,} {scratch:>8,} {most:>13,}"


def main() -> None:
    """Print the costs, then the figures of detection."""
    print("signals tier      state parameters  scratch  instructions")
    for signals in (38, 52, 55, 76, 100):
        for tier in Tier:
            print(f"{signals:>7} {tier:6s} {cost(design_for(signals, 10_000, False, tier))}", flush=True)
    print(f"\n{'':24s}series tier   VUS-PR  worst  AUC-PR  found")
    for name, series in wide(data_folder()):
        for tier in Tier:
            tally = Tally(1 / PROMISE_ROWS)
            for one in series:
                tally.add(one, shipped(one, parse_budget("1/week"), 604_800 / PROMISE_ROWS, tier))
            vus, pr, c = np.array(tally.vus), np.array(tally.pr), tally.count
            print(
                f"{name:24s}{len(series):6d} {tier:6s} {vus.mean():6.4f} {vus.min():6.3f}  {pr.mean():6.4f}"
                f"  {c.found} of {c.events}",
                flush=True,
            )


if __name__ == "__main__":
    main()
