"""Subtract a learned location and divide by a learned scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Standardise(Checked):
    """Subtract a learned location and divide by a learned scale.

    Takes f32 of any shape; NaN stays NaN. `location` and `scale` are parameters, one for each element
    or one for all, called `<name>_location` and `<name>_scale`; a scale is at least 1e-30.
    """

    references: ClassVar[tuple[str, ...]] = ("Huber and Ronchetti, Robust Statistics, 2009",)

    location: float | tuple[float, ...] = 0.0
    scale: float | tuple[float, ...] = 1.0
    name: str = "standardise"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """(x - location) / scale."""
        x = one(signals, self)
        location = draft.param(f"{self.name}_location", self.location)
        scale = draft.param(f"{self.name}_scale", self.scale, low=1e-30)
        return letter.div(letter.sub(x, location), scale)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two elements with scales of their own."""
        x = np.array([[1.0, 10.0], [2.0, 30.0], [np.nan, 20.0]])
        return (Example(cls((1.0, 20.0), (0.5, 10.0)), (x,), ([[0, -1], [2, 1], [np.nan, 0]],)),)
