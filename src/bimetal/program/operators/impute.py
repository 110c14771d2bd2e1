"""Fill a gap with a learned value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Impute(Checked):
    """Fill a gap with a learned value.

    Takes f32 of any shape; NaN is a gap. Parameter: `<name>_value`, one for each element or one for all.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Little and Rubin, Statistical Analysis with Missing Data, 2019",
    )

    value: float | tuple[float, ...] = 0.0
    name: str = "impute"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """x where it is known, else the value."""
        x = one(signals, self)
        value = draft.param(f"{self.name}_value", self.value)
        return letter.where(word.known(x), x, value)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two elements, each with what is usual for it."""
        x = np.array([[1.0, np.nan], [np.nan, 4.0]])
        return (Example(cls((-1.0, 7.0)), (x,), ([[1, 7], [-1, 4]],)),)
