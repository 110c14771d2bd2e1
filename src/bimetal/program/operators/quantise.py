"""Round f32 to i8 in equal steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Quantise(Checked):
    """Round f32 to i8 in equal steps.

    Takes f32 of any shape and gives round(x / step), halves upwards, within -127..127. NaN becomes -127.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    step: float = knob(0.0625, low=1e-20, high=1e20, what="how much one step is worth")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Scale, keep within bounds, round."""
        return letter.cast(word.rounded(letter.mul(one(signals, self), 1 / self.step), -127, 127), "i8")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Halves go up; what is too large stays at the end."""
        x = np.array([0.0, 0.25, 0.75, -0.25, 99.0, -99.0])
        return (Example(cls(0.5), (x,), ([0, 1, 2, 0, 127, -127],)),)
