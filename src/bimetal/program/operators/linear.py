"""A learned linear map: weights times a vector, plus a bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Linear(Checked):
    """A learned linear map: weights times a vector, plus a bias.

    Takes an f32 vector (columns,) and gives (rows,). Parameters: `<name>_weights` (rows, columns) and
    `<name>_bias` (rows,).
    """

    references: ClassVar[tuple[str, ...]] = ()

    weights: tuple[tuple[float, ...], ...] = ((1.0,),)
    bias: tuple[float, ...] = (0.0,)
    name: str = "linear"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Each row summed from left to right, then the bias."""
        weights = draft.param(f"{self.name}_weights", self.weights)
        bias = draft.param(f"{self.name}_bias", self.bias)
        return letter.add(word.matvec(weights, one(signals, self)), bias)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two rows of three."""
        made = cls(((1.0, 2.0, 3.0), (0.5, 0.0, -1.0)), (10.0, 0.0))
        return (Example(made, (np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 4.0]]),), ([[16, -0.5], [24, -3]],)),)
