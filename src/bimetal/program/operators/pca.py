"""Subtract a learned mean and project onto learned directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Pca(Checked):
    """Subtract a learned mean and project onto learned directions.

    Takes an f32 vector (columns,) and gives (rows,), the products with each row of `<name>_components`
    (rows, columns), summed from left to right; `<name>_mean` (columns,) is subtracted before. To whiten,
    divide each row by the standard deviation along it.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Pearson, On lines and planes of closest fit to systems of points in space, 1901",
    )

    mean: tuple[float, ...] = (0.0,)
    components: tuple[tuple[float, ...], ...] = ((1.0,),)
    name: str = "pca"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Centre, then project."""
        mean = draft.param(f"{self.name}_mean", self.mean)
        components = draft.param(f"{self.name}_components", self.components)
        return word.matvec(components, letter.sub(one(signals, self), mean))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The diagonal through (1, 1), and what lies across it."""
        x = np.array([[1.0, 1.0], [3.0, 3.0], [2.0, 0.0]])
        return (Example(cls((1.0, 1.0), ((0.5, 0.5), (0.5, -0.5))), (x,), ([[0, 0], [2, 0], [0, 1]],)),)
