"""A value as it was when a condition last held, and whether it holds now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class EmitIf(Checked):
    """A value as it was when a condition last held, and whether it holds now.

    Takes f32 of any shape and one b1, and gives the b1 and the value: what is to be sent when it holds,
    and stays what was sent last until it holds again. 0 before the first time; a gap is sent as one.
    """

    references: ClassVar[tuple[str, ...]] = ()

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Keep the old value where the condition does not hold."""
        match signals:
            case (Node(dtype="f32") as x, Node(dtype="b1", shape=()) as holds):
                clock = letter.meet("EmitIf", signals) or EVERY
            case _:
                raise BadProgram(f"it takes f32 and one b1, not {list(signals)}", where="EmitIf")
        last = draft.state("sent", np.zeros(x.shape), clock=clock)
        value = letter.where(holds, x, last)
        draft.set(last, value)
        return holds, value

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Sent at the second and the fourth reading."""
        x, holds = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 1, 0, 1], np.bool_)
        return (Example(cls(), (x, holds), ([0, 1, 0, 1], [0, 2, 2, 4])),)
