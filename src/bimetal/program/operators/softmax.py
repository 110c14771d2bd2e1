"""Numbers as parts of one: the greater, the more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import choice
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Softmax(Checked):
    """Numbers as parts of one: the greater, the more.

    Takes an f32 vector (d,) and gives exp(x) over the sum of all exp(x), each part within 1e-6 of the
    true one for up to 32 of them. A gap stays one, and all else is 0 beside it.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990",
    )

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """See program/choice.py."""
        x = one(signals, self)
        if len(x.shape) != 1:
            raise BadProgram(f"it takes a vector, not {x!r}", where="Softmax")
        return choice.softmax(x)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Equal ones; one that is ln 3 greater; one that is missing."""
        x = np.array([[5.0, 5.0, 5.0], [-99.0, np.log(3), 0.0], [np.nan, 1.0, 1.0]])
        third = 1 / 3
        return (Example(cls(), (x,), ([[third] * 3, [0, 0.75, 0.25], [np.nan, 0, 0]],), within=1e-6),)
