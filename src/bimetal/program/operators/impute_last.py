"""Fill a gap with the last value that was there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class ImputeLast(Checked):
    """Fill a gap with the last value that was there.

    Takes f32 of any shape; NaN is a gap. Before the first value it gives `first`.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Little and Rubin, Statistical Analysis with Missing Data, 2019: last observation carried forward",
    )

    first: float = knob(0.0, low=-1e30, high=1e30, what="what is given until a value came")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Hold the last known value of each element."""
        return word.hold(draft, one(signals, self), self.first)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A gap at the start and one in the middle."""
        gap = np.array([np.nan, 1, np.nan, np.nan, 3])
        return (Example(cls(), (gap,), ([0, 1, 1, 1, 3],)),)
