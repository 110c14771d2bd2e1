"""Whether a value lies outside what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Band(Checked):
    """Whether a value lies outside what is usual.

    Takes f32 of any shape and gives b1: below the lower or above the upper limit; a gap is not. The
    limits are the parameters `<name>_low` and `<name>_high`.
    """

    references: ClassVar[tuple[str, ...]] = ()

    low: float = -1.0
    high: float = 1.0
    name: str = "band"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """x < low or high < x."""
        x = one(signals, self)
        low = draft.param(f"{self.name}_low", self.low)
        high = draft.param(f"{self.name}_high", self.high)
        return letter.either(letter.lt(x, low), letter.lt(high, x))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The limits themselves are inside."""
        x = np.array([18.0, 17.5, 24.0, 24.5, np.nan, np.inf])
        return (Example(cls(18.0, 24.0), (x,), ([0, 1, 0, 1, 0, 1],)),)
