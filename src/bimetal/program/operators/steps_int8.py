"""Round f32 to i8, each element in steps of its own from its own centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class StepsInt8(Checked):
    """Round f32 to i8, each element in steps of its own from its own centre.

    Takes f32 (..., d) and gives round((x - centre) / step), halves upwards, within -127..127, for d centres
    and steps; a gap (NaN) is taken for the centre. Parameters: `<name>_centre` and `<name>_rate` (one over
    the step), f32 (d,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    centre: tuple[float, ...] = (0.0,)
    step: tuple[float, ...] = (1.0,)
    name: str = "steps"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Subtract, scale, keep within bounds, round."""
        x, centre, step = one(signals, self), np.asarray(self.centre), np.asarray(self.step)
        if centre.shape != step.shape or not (np.isfinite(centre).all() and (step > 0).all()):
            raise BadProgram("each element has a finite centre and a step above 0", where="StepsInt8")
        middle = draft.param(f"{self.name}_centre", centre)
        rate = draft.param(f"{self.name}_rate", 1 / step, low=0.0, high=1e30)
        away = letter.mul(letter.sub(x, middle), rate)
        return letter.cast(word.rounded(word.otherwise(away, 0.0), -127, 127), "i8")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two elements; halves go up, a gap is the centre, what is too large stays at the end."""
        x = np.array([[10.0, 0.25], [12.0, np.nan], [-1e9, -0.25]])
        return (Example(cls((10.0, 0.0), (1.0, 0.5)), (x,), ([[0, 1], [2, 0], [-127, 0]],)),)
