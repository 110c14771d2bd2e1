"""Take the mean of a window away, or the straight line that fits it best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Detrend(Checked):
    """Take the mean of a window away, or the straight line that fits it best.

    Takes f32 (n, ...) and works along the first axis. A gap makes the whole window a gap.
    """

    references: ClassVar[tuple[str, ...]] = ("Draper and Smith, Applied regression analysis, 1966",)

    line: int = knob(0, low=0, high=1, what="whether a line is taken away, and not the mean alone")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The mean first; the slope is the sum of place * rest over the sum of place squared."""
        x = one(signals, self)
        rest = letter.sub(x, word.mean(x, axis=0))
        if not self.line or x.shape[0] < 2:
            return rest
        n = x.shape[0]
        place = word.along(letter.sub(letter.cast(letter.iota(n), "f32"), (n - 1) / 2), x)
        slope = letter.mul(word.total(letter.mul(place, rest), axis=0), 12 / (n * (n * n - 1)))
        return letter.sub(rest, letter.mul(place, slope))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The mean of two channels; a line, and what is off it."""
        x = np.array([[[1.0, 10.0], [3.0, 10.0], [5.0, 40.0]]])
        bent = np.array([[1.0, 3.0, 5.0, 7.0], [0.0, 3.0, 0.0, -3.0]])
        return (
            Example(cls(), (x,), ([[[-2, -10], [0, -10], [2, 20]]],)),
            Example(cls(line=1), (bent,), ([[0, 0, 0, 0], [-1.8, 2.4, 0.6, -1.2]],), within=1e-6),
        )
