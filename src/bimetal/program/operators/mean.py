"""The mean of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Mean(Checked):
    """The mean of a window.

    Takes f32 (n, ...) and gives (...), along the first axis. A gap makes the mean a gap.
    """

    references: ClassVar[tuple[str, ...]] = ()

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The sum from left to right, times one over the count."""
        return word.mean(one(signals, self), axis=0)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Four readings of two channels, with and without a gap."""
        x = np.array([[[1.0, 0], [2, 8], [3, 0], [6, 0]], [[1.0, 0], [2, np.nan], [3, 0], [-6, 0]]])
        return (Example(cls(), (x,), ([[3, 2], [0, np.nan]],)),)
