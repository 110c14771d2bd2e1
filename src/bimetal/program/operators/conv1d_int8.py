"""A convolution along time in whole numbers: i8 weights, i32 sums, i8 out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import convolution, letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Conv1dInt8(Checked):
    """A convolution along time in whole numbers: i8 weights, i32 sums, i8 out.

    Takes i8 (n, channels) and gives i8 (places, filters): at each place the products with `width`
    neighbours summed in i32 with the bias, times multiplier / 2**shift, rounded, and kept within
    -127..127, or 0..127 with `positive` (ReLU). Parameters: `<name>_weights` i8 (filters, width *
    channels to the next multiple of 4), `<name>_bias` i32 (filters,), `<name>_multiplier` i16 (filters
    to the next even number,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    weights: tuple[tuple[tuple[int, ...], ...], ...] = (((1,),),)
    bias: tuple[int, ...] = (0,)
    multiplier: tuple[int, ...] = (1 << 14,)
    stride: int = knob(1, low=1, high=1024, what="by how many places the kernel moves on")
    padding: int = knob(0, low=0, high=1024, what="how many zeros stand before and after")
    shift: int = knob(15, low=8, high=31, what="by how many bits the product is shifted down")
    positive: int = knob(0, low=0, high=1, what="whether negative results become zero")
    name: str = "conv1d"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """A picture of one row; see program/convolution.py."""
        x = one(signals, self, "i8")
        if len(x.shape) != 2:
            raise BadProgram(f"it takes (n, channels), not {x!r}", where="Conv1dInt8")
        flat = word.quads(draft, self.name, [[w for place in f for w in place] for f in self.weights])
        scaled = word.scaling(draft, self.name, self.bias, self.multiplier, self.shift, self.positive)
        picture = convolution.padded(letter.reshape(x, (1, *x.shape)), 0, self.padding)
        made = convolution.dense(picture, flat, (1, len(self.weights[0])), self.stride, scaled)
        return letter.reshape(made, made.shape[1:])

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Half of a difference plus 10; two channels, two filters, every second place, zeros around."""
        x = np.array([[[10], [4], [-20], [30]]], np.int8)
        pair = np.array([[[1, 10], [2, 20], [3, 30]]], np.int8)
        filters = (((1, 0), (0, 1), (0, 0)), ((1, 1), (1, 1), (1, 1)))
        return (
            Example(cls((((3,), (-1,)),), (10,)), (x,), ([[[18], [21], [-40]]],)),
            Example(
                cls(filters, (0, 0), (1 << 14, 1 << 13), stride=2, padding=1),
                (pair,),
                ([[[5, 8], [16, 14]]],),
            ),
        )
