"""A convolution over a picture in whole numbers: i8 weights, i32 sums, i8 out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import convolution, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Conv2dInt8(Checked):
    """A convolution over a picture in whole numbers: i8 weights, i32 sums, i8 out.

    Takes i8 (height, width, channels) and gives i8 (rows, columns, filters), each sum times multiplier /
    2**shift, rounded, and kept within -127..127, or 0..127 with `positive` (ReLU). Parameters:
    `<name>_weights` i8 (filters, kernel height * kernel width * channels to the next multiple of 4),
    `<name>_bias` i32 (filters,), `<name>_multiplier` i16 (filters to the next even number,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    weights: tuple[tuple[tuple[tuple[int, ...], ...], ...], ...] = ((((1,),),),)
    bias: tuple[int, ...] = (0,)
    multiplier: tuple[int, ...] = (1 << 14,)
    stride: int = knob(1, low=1, high=1024, what="by how many places the kernel moves on")
    padding: int = knob(0, low=0, high=1024, what="how many zeros stand before and after")
    shift: int = knob(15, low=8, high=31, what="by how many bits the product is shifted down")
    positive: int = knob(0, low=0, high=1, what="whether negative results become zero")
    name: str = "conv2d"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """See program/convolution.py."""
        x = one(signals, self, "i8")
        if len(x.shape) != 3:
            raise BadProgram(f"it takes (height, width, channels), not {x!r}", where="Conv2dInt8")
        rows = [[w for line in f for place in line for w in place] for f in self.weights]
        flat = word.quads(draft, self.name, rows)
        scaled = word.scaling(draft, self.name, self.bias, self.multiplier, self.shift, self.positive)
        kernel = len(self.weights[0]), len(self.weights[0][0])
        picture = convolution.padded(x, self.padding, self.padding)
        return convolution.dense(picture, flat, kernel, self.stride, scaled)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """An edge from dark to light; the same with zeros around, at every second place."""
        x = np.array([[[[0], [0], [40]], [[0], [0], [40]], [[0], [0], [40]]]], np.int8)
        edge = ((((-1,), (1,)), ((-1,), (1,))),)
        return (
            Example(cls(edge), (x,), ([[[[0], [40]], [[0], [40]]]],)),
            Example(cls(edge, stride=2, padding=1), (x,), ([[[[0], [20]], [[0], [40]]]],)),
        )
