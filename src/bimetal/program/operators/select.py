"""Some elements of a vector, in a chosen order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Select(Checked):
    """Some elements of a vector, in a chosen order.

    Takes any type (n, ...) and gives those at `places` along the first axis, (places, ...).
    """

    references: ClassVar[tuple[str, ...]] = ()

    places: tuple[int, ...] = (0,)

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Take them by index."""
        match signals:
            case (x,) if self.places and x.shape and 0 <= min(self.places) <= max(self.places) < x.shape[0]:
                return letter.gather(x, letter.const(list(self.places), "i32"))
            case _:
                raise BadProgram(
                    f"{list(signals)} is not one vector with places {self.places}", where="Select"
                )

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Turned round, one of them twice; whole rows."""
        x = np.array([[1.0, 2.0, 3.0]])
        rows = np.array([[[1, 2], [3, 4]]], np.int8)
        return (Example(cls((2, 0, 2)), (x,), ([[3, 1, 3]],)), Example(cls((1,)), (rows,), ([[[3, 4]]],)))
