"""The sum of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Sum(Checked):
    """The sum of a window.

    Takes f32 (n, ...) and gives (...), summed along the first axis from left to right. A gap makes the
    sum a gap.
    """

    references: ClassVar[tuple[str, ...]] = ()

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """From left to right."""
        return word.total(one(signals, self), axis=0)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Small numbers between large ones are lost in f32; two channels."""
        x = np.array([[1.0, 2.0, 4.0], [2.0**25, 1.0, -(2.0**25)]])
        pair = np.array([[[1.0, 10.0], [2.0, 20.0]]])
        return (Example(cls(), (x,), ([7, 0],)), Example(cls(), (pair,), ([[3, 30]],)))
