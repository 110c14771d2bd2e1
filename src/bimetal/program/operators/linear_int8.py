"""The last layer of a net in whole numbers: i8 in, f32 out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class LinearInt8(Checked):
    """The last layer of a net in whole numbers: i8 in, f32 out.

    Takes an i8 vector (columns,) and gives f32 (rows,): the products summed in i32 with the bias, times
    what a step of each row is worth. Parameters: `<name>_weights` i8 (rows, columns to the next multiple
    of 4), `<name>_bias` i32 (rows,), `<name>_step` f32 (rows,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    weights: tuple[tuple[int, ...], ...] = ((1,),)
    bias: tuple[int, ...] = (0,)
    step: tuple[float, ...] = (1.0,)
    name: str = "linear_int8"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Sum exactly, then scale: no sum can overflow for up to 65,000 columns."""
        x = letter.cast(one(signals, self, "i8"), "i32")
        weights = word.quads(draft, self.name, self.weights)
        sums = letter.add(word.matvec(weights, x), word.biased(draft, self.name, self.bias))
        step = draft.param(f"{self.name}_step", self.step, low=0.0, high=1e20)
        return letter.mul(letter.cast(sums, "f32"), step)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two rows of three, a step of a quarter and one of 2."""
        x = np.array([[10, 4, 1], [-20, 30, -128]], np.int8)
        made = cls(((3, -1, 0), (1, 1, 127)), (10, 0), (0.25, 2.0))
        return (Example(made, (x,), ([[9, 282], [-20, -32492]],)),)
