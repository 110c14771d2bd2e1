"""The root mean square of a window: how strong it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Rms(Checked):
    """The root mean square of a window: how strong it is.

    Takes f32 (n, ...) and gives (...), along the first axis. A gap makes it a gap.
    """

    references: ClassVar[tuple[str, ...]] = ("ISO 20816-1:2016, vibration severity",)

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The square root of the mean of squares."""
        x = one(signals, self)
        return letter.sqrt(word.mean(letter.mul(x, x), axis=0))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A rectangle of height 3, and two readings of four."""
        x = np.array([[3.0, -3, 3, -3], [0.0, 4, 0, -4]])
        return (Example(cls(), (x,), ([3, 8**0.5],), within=1e-6),)
