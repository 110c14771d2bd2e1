"""A device moves: its state goes from one machine to another in mid-run, and nothing is to be seen of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bimetal.program.program import Program
from bimetal.program.snapshot import pack as pack_snapshot
from bimetal.program.snapshot import unpack as unpack_snapshot
from bimetal.targets.numpy import NumpyTarget
from tests.agree.journey import joined, travelled, travellers
from tests.agree.machine import LAW, WASM, Built, Inside, Job, Machine, Outcome, absence
from tests.agree.metal import BOARDS, C99, CROSSED, EVERYWHERE, S390X
from tests.agree.proof import compared
from tests.agree.random_program import random_rows
from tests.agree.scripted import Node

BEFORE, AFTER = 301, 99
"""Readings before and after a move; it falls between the firings of every slow clock."""
TRAVELLED: tuple[Machine, ...] = (LAW, WASM, Node(), C99, *BOARDS[:3], S390X)
"""Between any two of these; one device goes through all the others too."""
HERE = [m for m in EVERYWHERE if m not in CROSSED and not absence(m)]
PAIRS = [
    pytest.param(a, b, id=f"{a.name} to {b.name}", marks=pytest.mark.needs(*a.needs, *b.needs))
    for a, b in permutations(TRAVELLED, 2)
]


class Journey:
    """Programs built once on each machine, and the first part of every run done there once."""

    def __init__(self, folder: Callable[[], object]) -> None:
        self.folder = folder
        self.programs = [program for program, _ in travellers()]
        self.blocks = [block for _, block in travellers()]
        self.rows = [
            np.concatenate([random_rows(p, k, BEFORE), random_rows(p, k + 1, AFTER, nasty=True)])
            for k, p in enumerate(self.programs)
        ]
        self.built: dict[str, Built] = {}
        self.left: dict[str, list[Outcome]] = {}
        self.whole = self.on(LAW).run(self.jobs(slice(None), None))

    def on(self, machine: Machine) -> Built:
        """The programs on a machine."""
        if machine.name not in self.built:
            self.built[machine.name] = machine.build(self.programs, self.folder())  # type: ignore[arg-type]
        return self.built[machine.name]

    def jobs(self, part: slice, states: list[bytes] | None) -> list[Job]:
        """Part of every run, from states or from the start."""
        given = states or [None] * len(self.programs)
        return [
            Job(k, block, rows[part], state)
            for k, (block, rows, state) in enumerate(zip(self.blocks, self.rows, given, strict=True))
        ]

    def states_of(self, machine: Machine) -> list[bytes]:
        """The states of all devices after the first part of their runs on a machine, as snapshots."""
        if machine.name not in self.left:
            self.left[machine.name] = self.on(machine).run(self.jobs(slice(BEFORE), None))
        return [
            pack_snapshot(p, o.state) for p, o in zip(self.programs, self.left[machine.name], strict=True)
        ]


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """What all pairs share."""
    return Journey(lambda: tmp_path_factory.mktemp("machine"))


@pytest.mark.parametrize(("source", "goal"), PAIRS)
def test_a_state_moves_in_mid_run(source: Machine, goal: Machine, journey: Journey) -> None:
    states = [unpack_snapshot(p, s) for p, s in zip(journey.programs, journey.states_of(source), strict=True)]
    ends = journey.on(goal).run(journey.jobs(slice(BEFORE, None), states))
    for program, start, end, whole in zip(
        journey.programs, journey.left[source.name], ends, journey.whole, strict=True
    ):
        assert not compared(program, joined([start, end]), whole), program.title


def test_the_journey_matters(journey: Journey) -> None:
    """From the first state, the second part of nearly every run comes out differently."""
    fresh = journey.on(LAW).run(journey.jobs(slice(BEFORE, None), None))
    same = [
        program.title
        for program, found, whole in zip(journey.programs, fresh, journey.whole, strict=True)
        if found.outputs.tobytes() == whole.outputs[BEFORE:].tobytes()
    ]
    assert set(same) <= {"random"}
    assert len(same) <= 2


def test_a_device_goes_through_all_targets_that_are_here(tmp_path: Path) -> None:
    assert len(HERE) > 2
    assert not travelled(HERE, tmp_path)


def test_a_device_that_forgets_on_its_way_is_seen(tmp_path: Path) -> None:
    class Forgetful(Inside):
        """Starts anew whatever it is given."""

        def build(self, programs: Sequence[Program], folder: Path) -> Any:
            built = LAW.build(programs, folder)
            return SimpleNamespace(run=lambda jobs: built.run([replace(job, state=None) for job in jobs]))

    (tmp_path / "a").mkdir()
    assert not travelled([LAW, WASM, LAW], tmp_path / "a")
    (tmp_path / "b").mkdir()
    assert len(travelled([LAW, Forgetful("forgetful", NumpyTarget), LAW], tmp_path / "b")) > 5
