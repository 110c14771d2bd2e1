"""Means of blocks of readings, going back from now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class BlockMeans(Checked):
    """Means of blocks of readings, going back from now.

    Takes f32 of any shape and gives a mean for each block, shape (blocks, ...): the newest block first,
    each right before the one named before it. Readings before the first count as zero.
    """

    references: ClassVar[tuple[str, ...]] = ()

    lengths: tuple[int, ...] = (8, 8, 8, 8)

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Cut the recent readings into blocks and take the mean of each."""
        x = one(signals, self)
        if not self.lengths or min(self.lengths) < 1:
            raise BadProgram(f"blocks of {self.lengths} readings cannot be", where="BlockMeans")
        size = sum(self.lengths)
        recent = word.recent(draft, x, size)
        ends = [size - sum(self.lengths[:k]) for k in range(len(self.lengths))]
        means = [
            word.mean(letter.slice_(recent, end - length, end), axis=0)
            for end, length in zip(ends, self.lengths, strict=True)
        ]
        return letter.stack(means)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One block of one reading, one of the two before."""
        x = np.array([2.0, 4.0, 6.0, 8.0])
        return (Example(cls((1, 2)), (x,), ([[2, 0], [4, 1], [6, 3], [8, 5]],)),)
