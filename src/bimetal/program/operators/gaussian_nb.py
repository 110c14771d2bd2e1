"""How likely a vector is in each class, its elements independent and normally distributed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class GaussianNb(Checked):
    """How likely a vector is in each class, its elements independent and normally distributed.

    Takes an f32 vector (columns,) and gives (classes,), the logarithm of the joint likelihood:
    bias - sum of ((x - mean) * rate)**2, with rate = 1 / (deviation * sqrt(2)) and the bias all that does
    not depend on x. Parameters: `<name>_mean` and `<name>_rate` (classes, columns), `<name>_bias`
    (classes,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Duda and Hart, Pattern Classification and Scene Analysis, 1973",
    )

    mean: tuple[tuple[float, ...], ...] = ((0.0,),)
    rate: tuple[tuple[float, ...], ...] = ((1.0,),)
    bias: tuple[float, ...] = (0.0,)
    name: str = "bayes"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Squares summed from left to right."""
        x = one(signals, self)
        mean = draft.param(f"{self.name}_mean", self.mean)
        rate = draft.param(f"{self.name}_rate", self.rate, low=0)
        bias = draft.param(f"{self.name}_bias", self.bias)
        off = letter.mul(letter.sub(x, mean), rate)
        return letter.sub(bias, word.total(letter.mul(off, off)))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two classes of one element, the second twice as likely beforehand."""
        made = cls(((0.0,), (4.0,)), ((1.0,), (0.5,)), (0.0, 1.0))
        return (Example(made, (np.array([[0.0], [2.0]]),), ([[0, -3], [-4, 0]],)),)
