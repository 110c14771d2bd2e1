"""How far a vector is from each of several centres, and which is the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import choice, letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Nearest(Checked):
    """How far a vector is from each of several centres, and which is the nearest.

    Takes an f32 vector (columns,) and gives the place i32 () of the nearest centre, the first of equals, -1
    where the vector has a gap; and the squared distances f32 (centres,). Parameter: `<name>_centres`
    (centres, columns).
    """

    references: ClassVar[tuple[str, ...]] = ("Lloyd, Least squares quantization in PCM, 1982",)

    centres: tuple[tuple[float, ...], ...] = ((0.0,),)
    name: str = "nearest"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Squares summed from left to right; the least of the sums."""
        centres = draft.param(f"{self.name}_centres", self.centres)
        off = letter.sub(one(signals, self), centres)
        far = word.total(letter.mul(off, off))
        return choice.place_of_greatest(letter.neg(far)), far

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two centres; the middle belongs to the first."""
        x = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [np.nan, 0.0]])
        gives = ([0, 0, 1, -1], [[0, 4], [1, 1], [5, 1], [np.nan, np.nan]])
        return (Example(cls(((0.0, 0.0), (2.0, 0.0))), (x,), gives),)
