"""Round f32 to u8 between a learned least and greatest value."""

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
class Octets(Checked):
    """Round f32 to u8 between a learned least and greatest value.

    Takes f32 of any shape and gives round((x - low) * rate) with rate = 255 / (high - low), halves upwards,
    within 0..255; NaN gives 0. Trees that are trained on these lose nothing where they run. Parameters:
    `<name>_low` and `<name>_rate`, one for each element or one for all.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    low: float | tuple[float, ...] = 0.0
    high: float | tuple[float, ...] = 255.0
    name: str = "octets"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Scale, clip, round."""
        low, high = np.asarray(self.low, np.float64), np.asarray(self.high, np.float64)
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
            raise BadProgram("low must be less than high, and both be numbers", where="Octets")
        least = draft.param(f"{self.name}_low", low)
        rate = draft.param(f"{self.name}_rate", 255 / (high - low), low=1e-30, high=1e30)
        near = word.clip(letter.mul(letter.sub(one(signals, self), least), rate), 0.0, 255.0)
        return letter.cast(letter.cast(letter.add(near, 0.5), "i32"), "u8")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two elements with ranges of their own; what lies outside stays at the end."""
        x = np.array([[0.0, -1.0], [127.4, 0.0], [127.5, 1.0], [999.0, np.nan]])
        return (Example(cls((0.0, -1.0), (255.0, 1.0)), (x,), ([[0, 0], [127, 128], [128, 255], [255, 0]],)),)
