"""A layer of a net in whole numbers: i8 weights, i32 sums, i8 out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class DenseInt8(Checked):
    """A layer of a net in whole numbers: i8 weights, i32 sums, i8 out.

    Takes an i8 vector (columns,) and gives i8 (rows,): the products summed in i32 with the bias, times
    multiplier / 2**shift, rounded, and kept within -127..127, or 0..127 with `positive` (ReLU).
    Parameters: `<name>_weights` i8 (rows, columns to the next multiple of 4), `<name>_bias` i32 (rows,),
    `<name>_multiplier` i16 (rows to the next even number,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    weights: tuple[tuple[int, ...], ...] = ((1,),)
    bias: tuple[int, ...] = (0,)
    multiplier: tuple[int, ...] = (1 << 14,)
    shift: int = knob(15, low=8, high=31, what="by how many bits the product is shifted down")
    positive: int = knob(0, low=0, high=1, what="whether negative results become zero")
    name: str = "dense_int8"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Sum, scale, round, clip: no sum can overflow for up to 65,000 columns."""
        x = letter.cast(one(signals, self, "i8"), "i32")
        weights = word.quads(draft, self.name, self.weights)
        scaled = word.scaling(draft, self.name, self.bias, self.multiplier, self.shift, self.positive)
        return scaled(word.matvec(weights, x))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Half of 3 x - y + 10, with and without negative results."""
        x = np.array([[10, 4], [-20, 30], [127, -128]], np.int8)
        layer = (((3, -1),), (10,), (1 << 14,))
        return (
            Example(cls(*layer), (x,), ([[18], [-40], [127]],)),
            Example(cls(*layer, positive=1), (x,), ([[18], [0], [127]],)),
        )
