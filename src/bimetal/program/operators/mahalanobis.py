"""How far a vector lies from its centre, in the metric of a learned matrix, and by which parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Mahalanobis(Checked):
    """How far a vector lies from its centre, in the metric of a learned matrix, and by which parts.

    Takes an f32 vector z (d,) that is already centred, and gives the score z' M z and the parts
    z_i (M z)_i, which add up to it and are the exact Shapley values against the centre. M is the
    parameter `<name>_matrix` (d, d), the inverse of a covariance.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Mahalanobis, On the generalized distance in statistics, 1936",
        "Lundberg and Lee, A unified approach to interpreting model predictions, 2017",
    )

    matrix: tuple[tuple[float, ...], ...] = ((1.0,),)
    name: str = "mahalanobis"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """The sum of the parts, and the parts."""
        z = one(signals, self)
        matrix = draft.param(f"{self.name}_matrix", self.matrix, low=-1e18, high=1e18)
        parts = letter.mul(z, word.matvec(matrix, z))
        return word.total(parts), parts

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two elements that usually go together count for more when they do not."""
        z = np.array([[1.0, 1.0], [1.0, -1.0]])
        return (Example(cls(((2.0, -1.0), (-1.0, 2.0))), (z,), ([2, 6], [[1, 1], [3, 3]])),)
