"""How lopsided a window is, and how much of it lies in rare large values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Moments(Checked):
    """How lopsided a window is, and how much of it lies in rare large values.

    Takes f32 (n, ...) and gives the skewness and the kurtosis (...), the means of z cubed and of z to
    the fourth, z being the distance from the mean in standard deviations (over n). Noise has a kurtosis
    of 3, a sine of 1.5, knocking of far more. Both are 0 where a window does not vary: where its standard
    deviation is below 2**-20 of its mean. A gap makes both gaps.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Pearson, Contributions to the mathematical theory of evolution II, 1895",
        "Dyer and Stewart, Detection of rolling element bearing damage by statistical analysis, 1978",
    )

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Two loops after the mean: what it is off by and the spread, then powers of scaled numbers.

        Scaled, for fourth powers of small numbers would vanish.
        """
        x = one(signals, self)
        mean, part = word.mean(x, axis=0), 1 / x.shape[0]
        nothing = letter.const(np.zeros(mean.shape), "f32")

        def spread(sums: tuple[Node, ...], item: Node) -> tuple[Node, Node]:
            rest = letter.sub(item, mean)
            return letter.add(sums[0], rest), letter.add(sums[1], letter.mul(rest, rest))

        off, square = (letter.mul(s, part) for s in word.folded(x, (nothing, nothing), spread))
        variance = letter.maximum(nothing, letter.sub(square, letter.mul(off, off)))
        deviation = letter.where(word.known(square), letter.sqrt(variance), square)
        least = letter.maximum(letter.const(word.TINY, "f32"), letter.mul(word.absolute(mean), 2.0**-20))
        scale = letter.div(letter.const(1.0, "f32"), letter.maximum(least, deviation))

        def powers(sums: tuple[Node, ...], item: Node) -> tuple[Node, Node]:
            z = letter.mul(letter.sub(letter.sub(item, mean), off), scale)
            squared = letter.mul(z, z)
            return letter.add(sums[0], letter.mul(squared, z)), letter.add(
                sums[1], letter.mul(squared, squared)
            )

        cubes, fourths = (letter.mul(s, part) for s in word.folded(x, (nothing, nothing), powers))
        still = letter.lt(deviation, least)
        return letter.where(still, 0.0, cubes), letter.where(still, 0.0, fourths)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A rectangle, one knock in four, and nothing."""
        x = np.array([[5.0, 7, 5, 7], [0.0, 0, 0, 4], [9.1, 9.1, 9.1, 9.1]])
        skewness = [0, 2 / 3**0.5, 0]
        return (Example(cls(), (x,), (skewness, [1, 7 / 3, 0]), within=2e-6),)
