"""Means and changes of a signal at every scale: a causal Haar pyramid."""

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
class HaarPyramid(Checked):
    """Means and changes of a signal at every scale: a causal Haar pyramid.

    Takes f32 of any shape. With M_k the mean of the last k readings, it gives the changes
    (M_k - M_k of k readings ago) / 2 for k = 2**finest ... 2**(levels - 1), then M of 2**levels:
    shape (levels - finest + 1, ...). Readings before the first count as zero.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Haar, Zur Theorie der orthogonalen Funktionensysteme, Math. Annalen 69, 1910",
    )

    levels: int = knob(5, low=1, high=14, what="how many times the scale doubles")
    finest: int = knob(1, low=0, high=13, what="the first level whose changes are given")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Each level's mean is that of the level below, now and one step of its length ago."""
        mean = one(signals, self)
        if self.finest >= self.levels:
            raise BadProgram(f"it has no level {self.finest}", where="HaarPyramid")
        changes: list[Node] = []
        for level in range(self.levels):
            before = word.delayed(draft, mean, 2**level, f"level{level}")
            changes.append(letter.mul(letter.sub(mean, before), 0.5))
            mean = letter.mul(letter.add(mean, before), 0.5)
        return letter.stack([*changes[self.finest :], mean])

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Changes over one and two readings, and the mean of four."""
        x = np.array([4.0, 8.0, 0.0, 4.0])
        return (Example(cls(2, 0), (x,), ([[2, 1, 1], [2, 3, 3], [-4, 1, 3], [2, -2, 4]],)),)
