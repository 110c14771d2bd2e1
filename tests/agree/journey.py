"""Journey: devices that go through all targets, as snapshots; nothing is to be seen of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.detector import Design, detector_program
from bimetal.program.block import pack
from bimetal.program.program import Draft, Program
from bimetal.program.snapshot import pack as pack_snapshot
from bimetal.program.snapshot import unpack as unpack_snapshot
from tests.agree.machine import LAW, Job, Machine, Outcome
from tests.agree.odd_program import first_values, many_clocks, swapped, windows
from tests.agree.proof import compared
from tests.agree.random_program import random_program, random_rows

READINGS = 37
"""Readings on each target: a prime, so that devices leave between the firings of every slow clock."""


@functools.cache
def travellers() -> list[tuple[Program, bytes]]:
    """The detector, programs of many clocks and rings, and random ones."""
    drafts: list[Draft] = [
        detector_program(Design(2), ["x0", "x1"])[1],
        *(make() for make in (first_values, many_clocks, swapped, windows)),
    ]
    made = [(d.finish(), d.values) for d in drafts] + [random_program(seed) for seed in range(900, 906)]
    return [(program, pack(program, values)) for program, values in made]


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Return what came of parts of one run, in order, as if it were one."""
    return Outcome(
        np.concatenate([p.outputs for p in parts]), np.concatenate([p.fired for p in parts]), parts[-1].state
    )


def travelled(machines: Sequence[Machine], folder: Path) -> dict[str, str]:
    """Let a device of every traveller go through machines, READINGS on each, and return what differs.

    By program; a machine that has no room for one is passed over by its device.
    """
    parts: list[list[Outcome]] = [[] for _ in travellers()]
    for turn, machine in enumerate(machines):
        fit = [k for k, (program, _) in enumerate(travellers()) if not machine.refusal(program)]
        place = folder / f"{turn}"
        place.mkdir()
        built = machine.build([travellers()[k][0] for k in fit], place)
        given = [_next(n, k, parts[k], len(machines)) for n, k in enumerate(fit)]
        for k, outcome in zip(fit, built.run(given), strict=True):
            parts[k].append(outcome)
    wrong: dict[str, str] = {}
    for k, (program, block) in enumerate(travellers()):
        rows = _rows(k, len(machines))[: len(parts[k]) * READINGS]
        (whole,) = LAW.build([program], folder).run([Job(0, block, rows)])
        text = compared(program, joined(parts[k]), whole)
        wrong |= {f"{program.title} {k}": text} if text else {}
    return wrong


def _next(which: int, k: int, before: Sequence[Outcome], machines: int) -> Job:
    """Go on from the snapshot that was taken where the device was last."""
    program, block = travellers()[k]
    state = unpack_snapshot(program, pack_snapshot(program, before[-1].state)) if before else None
    done = len(before) * READINGS
    return Job(which, block, _rows(k, machines)[done : done + READINGS], state)


def _rows(k: int, machines: int) -> NDArray[Any]:
    """What a device is given on its way."""
    return random_rows(travellers()[k][0], k, READINGS * machines, nasty=k % 2 == 1)
