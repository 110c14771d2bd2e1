"""A convolution that keeps channels apart, in whole numbers."""

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
class DepthwiseInt8(Checked):
    """A convolution that keeps channels apart, in whole numbers.

    Takes i8 (height, width, channels), or (n, channels) with a kernel of height 1, and gives i8 of as
    many axes: each channel's sum times multiplier / 2**shift, rounded, and kept within -127..127, or
    0..127 with `positive` (ReLU). Parameters: `<name>_weights` i8 (kernel height, kernel width,
    channels), `<name>_bias` i32 (channels,), `<name>_multiplier` i16 (channels to the next even number,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Howard and others, MobileNets: efficient convolutional neural networks, 2017",
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    weights: tuple[tuple[tuple[int, ...], ...], ...] = (((1,),),)
    bias: tuple[int, ...] = (0,)
    multiplier: tuple[int, ...] = (1 << 14,)
    stride: int = knob(1, low=1, high=1024, what="by how many places the kernel moves on")
    padding: int = knob(0, low=0, high=1024, what="how many zeros stand before and after")
    shift: int = knob(15, low=8, high=31, what="by how many bits the product is shifted down")
    positive: int = knob(0, low=0, high=1, what="whether negative results become zero")
    name: str = "depthwise"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """See program/convolution.py; what has no height is a picture of one row."""
        x = one(signals, self, "i8")
        flat = len(x.shape) == 2
        if not (flat and len(self.weights) == 1) and len(x.shape) != 3:
            raise BadProgram(
                f"a kernel of height {len(self.weights)} cannot take {x!r}", where="DepthwiseInt8"
            )
        weights = draft.param(f"{self.name}_weights", self.weights, "i8", low=-127, high=127)
        scaled = word.scaling(draft, self.name, self.bias, self.multiplier, self.shift, self.positive)
        picture = letter.reshape(x, (1, *x.shape)) if flat else x
        picture = convolution.padded(picture, 0 if flat else self.padding, self.padding)
        made = convolution.depthwise(picture, weights, self.stride, scaled)
        return letter.reshape(made, made.shape[1:]) if flat else made

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A difference for one channel and a sum for the other, along time and over a picture."""
        x = np.array([[[10, 1], [4, 2], [-20, 3]]], np.int8)
        kernel = (((2, 2), (-2, 2)),)
        picture = x[:, :, None]
        return (
            Example(cls(kernel, (0, 0), (1 << 14,) * 2), (x,), ([[[6, 3], [24, 5]]],)),
            Example(
                cls((((2, 2),), ((-2, 2),)), (1, 1), (1 << 14,) * 2), (picture,), ([[[[7, 4]], [[25, 6]]]],)
            ),
        )
