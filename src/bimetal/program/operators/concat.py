"""Several values as one vector, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Concat(Checked):
    """Several values as one vector, one after the other.

    Takes any number of signals of one type and clock: scalars, or arrays that are alike but for their
    first axis. Gives all of them along the first axis.
    """

    references: ClassVar[tuple[str, ...]] = ()

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Scalars count as vectors of one."""
        return letter.concat([s if s.shape else letter.reshape(s, (1,)) for s in signals])

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A scalar and a vector."""
        signals = np.array([1.0, 2.0]), np.array([[10.0, 11.0], [20.0, 21.0]])
        return (Example(cls(), signals, ([[1, 10, 11], [2, 20, 21]],)),)
