"""How alike a window is to itself, some readings later."""

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
class Autocorrelation(Checked):
    """How alike a window is to itself, some readings later.

    Takes f32 (n, ...) and gives (lags, ...) for lags of 1, 2, ... readings: the sum of products over the
    sum of squares, within -1..1, and 0 for a window of zeros. Take the mean away first. A gap makes all
    of them gaps.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Box and Jenkins, Time series analysis: forecasting and control, 1970",
    )

    lags: int = knob(16, low=1, high=4096, what="for how many lags it is computed")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Zeros stand behind the window, so that all lags are one loop."""
        x = one(signals, self)
        if not x.shape or x.shape[0] <= self.lags:
            raise BadProgram(f"{x!r} is not longer than {self.lags} lags", where="Autocorrelation")
        size = x.shape[0]
        power = word.total(letter.mul(x, x), axis=0)
        scale = letter.div(letter.const(1.0, "f32"), letter.maximum(letter.const(word.TINY, "f32"), power))
        padded = letter.concat([x, letter.const(np.zeros((self.lags, *x.shape[1:])), "f32")])

        def product(k: Node) -> Node:
            later = letter.gather(padded, letter.add(letter.iota(size), letter.add(k, 1)))
            return word.total(letter.mul(x, later), axis=0)

        found = letter.mul(letter.each(self.lags, product), scale)
        return letter.where(word.known(power), found, power)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A wave of period four, two periods of it; and nothing at all."""
        x = np.array([[1.0, 0, -1, 0, 1, 0, -1, 0], [0.0, 0, 0, 0, 0, 0, 0, 0]])
        return (Example(cls(4), (x,), ([[0, -0.75, 0, 0.5], [0, 0, 0, 0]],)),)
