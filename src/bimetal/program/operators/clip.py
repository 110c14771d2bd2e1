"""Keep values within two bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Clip(Checked):
    """Keep values within two bounds.

    Takes f32 of any shape. NaN becomes the lower bound, so that what follows never meets one.
    """

    references: ClassVar[tuple[str, ...]] = ()

    low: float = knob(-8.0, low=-1e30, high=1e30, what="the least value given")
    high: float = knob(8.0, low=-1e30, high=1e30, what="the greatest value given")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The value, or the bound it passed."""
        return word.clip(one(signals, self), self.low, self.high)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Both bounds, an infinity and a gap."""
        x = np.array([-9.0, 3.0, 9.0, np.inf, np.nan])
        return (Example(cls(), (x,), ([-8, 3, 8, 8, -8],)),)
