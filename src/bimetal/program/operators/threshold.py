"""Whether a value is above a learned limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Threshold(Checked):
    """Whether a value is above a learned limit.

    Takes f32 of any shape; NaN is not above. The limit is the parameter `<name>_limit`.
    """

    references: ClassVar[tuple[str, ...]] = ()

    limit: float = 1.0
    name: str = "threshold"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """limit < x."""
        return letter.lt(draft.param(f"{self.name}_limit", self.limit), one(signals, self))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The limit itself is not above it."""
        return (Example(cls(2.0), (np.array([1.0, 2.0, 2.5, np.nan]),), ([0, 0, 1, 0],)),)
