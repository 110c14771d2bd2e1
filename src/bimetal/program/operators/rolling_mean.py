"""The mean of the last readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class RollingMean(Checked):
    """The mean of the last readings.

    Takes f32 of any shape; it is summed anew at each reading, so no error builds up. Readings before the
    first count as zero; a gap makes the mean a gap while it is among the last.
    """

    references: ClassVar[tuple[str, ...]] = ()

    size: int = knob(8, low=1, high=65536, what="how many readings the mean is of")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Sum the recent readings from the oldest on."""
        return word.mean(word.recent(draft, one(signals, self), self.size), axis=0)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two readings at a time, a gap among them."""
        x = np.array([2.0, 4.0, 8.0, np.nan, 1.0, 3.0])
        return (Example(cls(2), (x,), ([1, 3, 6, np.nan, np.nan, 2],)),)
