"""True when a condition begins to hold, and then silent for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Refractory(Checked):
    """True when a condition begins to hold, and then silent for a while.

    Takes a b1 of any shape. After it was true it stays false for `rest` readings.
    """

    references: ClassVar[tuple[str, ...]] = ()

    rest: int = knob(10, low=1, high=1_000_000_000, what="for how many readings it is silent")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Count the silence down."""
        x = one(signals, self, "b1")
        wait = draft.state("rest", np.zeros(x.shape), "i32", low=0, high=self.rest, clock=x.clock or EVERY)
        fires = letter.both(x, letter.eq(wait, 0))
        less = letter.maximum(letter.const(0, "i32"), letter.sub(wait, 1))
        draft.set(wait, letter.where(fires, letter.const(self.rest, "i32"), less))
        return fires

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two readings of silence."""
        x = np.array([0, 1, 1, 1, 1, 0, 0, 1], np.bool_)
        return (Example(cls(2), (x,), ([0, 1, 0, 0, 1, 0, 0, 1],)),)
