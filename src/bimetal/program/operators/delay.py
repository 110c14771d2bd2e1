"""The value of some readings ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Delay(Checked):
    """The value of some readings ago.

    Takes a value of any shape and type; gives zero before there was one.
    """

    references: ClassVar[tuple[str, ...]] = ()

    readings: int = knob(1, low=1, high=65536, what="how many readings ago")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """A ring whose oldest item is read before it is written."""
        (x,) = signals
        return word.delayed(draft, x, self.readings)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two readings ago."""
        return (Example(cls(2), (np.array([5.0, 6.0, 7.0, 8.0]),), ([0, 0, 5, 6],)),)
