"""Together: a target that takes many devices at once, given all jobs of a program and block in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bimetal.program.layout import initial_state
from bimetal.program.program import Program
from bimetal.targets.target import Target
from tests.agree.machine import Job, Outcome

FEWEST = 9
"""Devices of a call at least: two full vectors of four, and one left over."""


@dataclass(frozen=True, slots=True)
class Together:
    """A target of the product, many devices to a call; made anew for each build."""

    name: str
    make: Callable[[], Target]
    needs: tuple[str, ...] = ()

    def refusal(self, program: Program) -> str:
        """Return "": it runs everything."""
        return ""

    def build(self, programs: Sequence[Program], folder: Path) -> TogetherBuilt:
        """Keep the programs; loading one is quick."""
        return TogetherBuilt(self.make(), tuple(programs))


@dataclass(frozen=True, slots=True)
class TogetherBuilt:
    """Programs on a target of the product."""

    target: Target
    programs: tuple[Program, ...]

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs that can be run at once in one call, some of them several times."""
        groups: dict[tuple[int, bytes, int], list[int]] = {}
        for k, job in enumerate(jobs):
            groups.setdefault((job.which, job.block, len(job.rows)), []).append(k)
        found: dict[int, Outcome] = {}
        for (which, block, _), places in groups.items():
            found |= self._together(self.programs[which], block, places, jobs)
        return [found[k] for k in range(len(jobs))]

    def _together(
        self, program: Program, block: bytes, places: list[int], jobs: Sequence[Job]
    ) -> dict[int, Outcome]:
        many = (places * FEWEST)[: max(FEWEST, len(places))]
        start = initial_state(program)
        states = b"".join(start if jobs[k].state is None else jobs[k].state or b"" for k in many)
        after, outputs, fired = self.target.load(program, block).run_devices(  # type: ignore[attr-defined]
            np.frombuffer(states, np.uint8).reshape(len(many), len(start)),
            np.stack([jobs[k].rows for k in many]),
        )
        return {k: Outcome(outputs[d], fired[d], after[d].tobytes()) for d, k in enumerate(many)}
