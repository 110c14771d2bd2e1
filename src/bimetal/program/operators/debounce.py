"""True when a condition held at enough of the last readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Debounce(Checked):
    """True when a condition held at enough of the last readings.

    Takes a b1 of any shape; readings before the first count as false.
    """

    references: ClassVar[tuple[str, ...]] = ()

    needed: int = knob(3, low=1, high=65536, what="how many of them must hold")
    of: int = knob(5, low=1, high=65536, what="how many readings are looked at")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Count what holds among the recent readings."""
        if self.needed > self.of:
            raise BadProgram(f"{self.needed} of {self.of} can never hold", where="Debounce")
        recent = word.recent(draft, one(signals, self, "b1"), self.of)
        count = letter.reduce(letter.cast(recent, "i32"), axis=0)
        return letter.le(letter.const(self.needed, "i32"), count)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two of three."""
        x = np.array([1, 0, 1, 1, 0, 0], np.bool_)
        return (Example(cls(2, 3), (x,), ([0, 0, 1, 1, 1, 0],)),)
