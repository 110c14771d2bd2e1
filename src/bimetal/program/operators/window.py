"""The last readings together, every so often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Window(Checked):
    """The last readings together, every so often.

    Takes a value of any shape and type and gives the last `size`, oldest first, (size, ...), at a clock that
    fires after every `hop` of them, the first time when `size` are there. The values may come at every
    reading, or at a slower clock.
    """

    references: ClassVar[tuple[str, ...]] = ()

    size: int = knob(8, low=1, high=65536, what="how many readings a window holds")
    hop: int = knob(8, low=1, high=65536, what="after how many readings the next window comes")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """A ring written at every reading and read at the slower clock."""
        (x,) = signals
        return word.window(draft, x, self.size, self.hop)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Windows side by side, and windows that overlap."""
        x = np.arange(7.0)
        return (
            Example(cls(3, 3), (x,), ([[0, 1, 2], [3, 4, 5]],)),
            Example(cls(4, 2), (x,), ([[0, 1, 2, 3], [2, 3, 4, 5]],)),
        )
