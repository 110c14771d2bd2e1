"""A sensor that keeps saying exactly the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Stuck(Checked):
    """A sensor that keeps saying exactly the same.

    Takes f32 of any shape and gives an i32 for each element: `code` where a value has come `limit` times
    in a row or more, else 0. A gap ends a run.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Ni and others, Sensor network data fault types, ACM TOSN 5, 2009",
    )

    limit: int = knob(16, low=2, high=1_000_000, what="how many equal readings in a row are too many")
    code: int = knob(2, low=1, high=1_000_000, what="the number that stands for this fault")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Count how often a reading equals the one before."""
        x = one(signals, self)
        last = draft.state("last", np.full(x.shape, np.nan), clock=x.clock or EVERY)
        run = word.counted(draft, letter.eq(x, last), self.limit - 1)
        draft.set(last, x)
        return letter.where(letter.lt(run, self.limit - 1), letter.const(0, "i32"), self.code)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Three equal readings are a fault, a gap starts afresh."""
        x = np.array([5.0, 5.0, 5.0, 5.0, 6.0, 6.0, np.nan, 6.0, 6.0])
        return (Example(cls(3), (x,), ([0, 0, 2, 2, 0, 0, 0, 0, 0],)),)
