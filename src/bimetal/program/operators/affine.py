"""A learned scale and offset for each element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Affine(Checked):
    """A learned scale and offset for each element.

    Takes f32 (d,) or a scalar and gives x * scale + offset. Parameters: `<name>_scale` and
    `<name>_offset`, of the same shape.
    """

    references: ClassVar[tuple[str, ...]] = ()

    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    name: str = "affine"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """One multiplication, one addition."""
        x = one(signals, self)
        shape = x.shape or (1,)
        if not (len(self.scale),) == (len(self.offset),) == shape:
            raise BadProgram(f"{len(self.scale)} scales do not fit {x!r}", where="Affine")
        scale = draft.param(f"{self.name}_scale", self.scale, low=-1e30, high=1e30)
        offset = draft.param(f"{self.name}_offset", self.offset, low=-1e30, high=1e30)
        return letter.add(letter.mul(x, letter.reshape(scale, x.shape)), letter.reshape(offset, x.shape))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Fahrenheit to Celsius, within rounding; two signals."""
        return (
            Example(cls((5 / 9,), (-160 / 9,)), (np.array([32.0, 212.0]),), ([0, 100],), within=1e-5),
            Example(cls((2.0, 0.5), (1.0, 0.0)), (np.array([[3.0, 4.0]]),), ([[7, 2]],)),
        )
