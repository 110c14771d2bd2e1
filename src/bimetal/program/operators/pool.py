"""The greatest or the mean of neighbouring places, so that fewer are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Pool(Checked):
    """The greatest or the mean of neighbouring places, so that fewer are left.

    Takes f32 or i8 (n, channels) or (height, width, channels) and gives the same type for blocks of
    `size` (or `size` times `size`) places; places left over at the end are dropped. `how` is "greatest"
    or "mean"; a mean of i8 is rounded, halves upwards. Of f32, a gap makes a mean a gap, and counts as
    less than everything for the greatest.
    """

    references: ClassVar[tuple[str, ...]] = (
        "LeCun and others, Gradient-based learning applied to document recognition, Proc. IEEE 86, 1998",
    )

    size: int = knob(2, low=1, high=4096, what="how many neighbours become one, along each axis")
    how: str = "greatest"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Cut into blocks by reshaping, then fold inside each."""
        (x,) = signals
        if x.dtype not in ("f32", "i8") or len(x.shape) not in (2, 3) or min(x.shape[:-1]) < self.size:
            raise BadProgram(f"blocks of {self.size} places cannot be cut from {x!r}", where="Pool")
        if self.how not in ("greatest", "mean"):
            raise BadProgram(f"{self.how!r} is not greatest or mean", where="Pool")
        places, shape = x.shape[:-1], [x.shape[-1]]
        for axis in range(len(places) - 1, -1, -1):
            blocks = places[axis] // self.size
            x = letter.slice_(x, 0, blocks * self.size, axis=axis)
            shape = [blocks, self.size, *shape]
        blocks = letter.reshape(x if x.dtype == "f32" else letter.cast(x, "i32"), tuple(shape))
        for axis in range(len(shape) - 2, 0, -2):
            blocks = letter.reduce(blocks, "max" if self.how == "greatest" else "add", axis=axis)
        return self._given(blocks, self.size ** len(places), x.dtype)

    def _given(self, folded: Node, count: int, dtype: str) -> Node:
        """The result in the type of the signal; a mean of whole numbers is a product and a shift."""
        if self.how == "mean" and dtype == "f32":
            return letter.mul(folded, 1 / count)
        if self.how == "mean":
            part = letter.const(round(2**30 / count), "i32")
            folded = word.clip(letter.mulshr(folded, part, 30), -128, 127)
        return folded if dtype == "f32" else letter.cast(folded, dtype)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Pairs along time, one left over; blocks of four in a picture, as i8."""
        x = np.array([[[1.0, 8], [3, 2], [5, 5], [4, 7], [9, 9]]])
        picture = np.array([[[[1], [2], [7], [7]], [[3], [5], [7], [6]]]], np.int8)
        return (
            Example(cls(2), (x,), ([[[3, 8], [5, 7]]],)),
            Example(cls(2, "mean"), (x,), ([[[2, 5], [4.5, 6]]],)),
            Example(cls(2), (picture,), ([[[[5], [7]]]],)),
            Example(cls(2, "mean"), (picture,), ([[[[3], [7]]]],)),
        )
