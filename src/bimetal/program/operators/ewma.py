"""Exponentially weighted moving average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Ewma(Checked):
    """Exponentially weighted moving average.

    Takes f32 of any shape. It starts from the first value, 0 before that, and passes over gaps.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Roberts, Control chart tests based on geometric moving averages, Technometrics 1, 1959",
    )

    weight: float = knob(0.1, low=1e-6, high=1, what="how much the newest reading counts")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """average + weight * (x - average)."""
        x = one(signals, self)
        average = draft.state("average", np.zeros(x.shape), clock=x.clock or EVERY)
        seen = draft.state("seen", np.zeros(x.shape), "b1", clock=x.clock or EVERY)
        moved = letter.add(average, letter.mul(letter.sub(x, average), self.weight))
        value = letter.where(word.known(x), letter.where(seen, moved, x), average)
        draft.set(average, value)
        draft.set(seen, letter.either(seen, word.known(x)))
        return value

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """It starts at the first value and passes over a gap."""
        x = np.array([np.nan, 8.0, 4.0, np.nan, 6.0])
        return (Example(cls(0.25), (x,), ([0, 8, 7, 7, 6.75],)),)
