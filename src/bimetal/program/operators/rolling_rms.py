"""The root mean square of the last readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class RollingRms(Checked):
    """The root mean square of the last readings.

    Takes f32 of any shape; it is summed anew at each reading, so no error builds up. Readings before the
    first count as zero; a gap makes the result a gap while it is among the last.
    """

    references: ClassVar[tuple[str, ...]] = ("ISO 20816-1:2016, vibration severity",)

    size: int = knob(8, low=1, high=65536, what="how many readings it is of")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The square root of the mean of recent squares."""
        x = one(signals, self)
        return letter.sqrt(word.mean(word.recent(draft, letter.mul(x, x), self.size), axis=0))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two readings at a time."""
        return (Example(cls(2), (np.array([4.0, 4.0, -4.0, 0.0]),), ([8**0.5, 4, 4, 8**0.5],), within=1e-6),)
