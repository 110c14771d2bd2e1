"""The binary logarithm: equal ratios become equal steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import elementary, letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Log2(Checked):
    """The binary logarithm: equal ratios become equal steps.

    Takes f32 of any shape; what is below `least`, and a gap, counts as `least`. Within 1.5e-7 of the
    true value, relatively, and within 1.3e-7 where that is below 1.
    """

    references: ClassVar[tuple[str, ...]] = ("Muller, Elementary functions, 2016",)

    least: float = knob(2.0**-40, low=2.0**-126, high=1e30, what="what smaller values count as")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Keep away from zero, then see program/elementary.py."""
        x = one(signals, self)
        return elementary.log2(letter.maximum(letter.const(self.least, "f32"), x))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Powers of two, a thousand, and what has no logarithm."""
        x = np.array([8.0, 1.0, 0.25, 1000.0, 0.0, -5.0, np.nan])
        return (Example(cls(0.125), (x,), ([3, 0, -2, 9.9657842847, -3, -3, -3],), within=2e-6),)
