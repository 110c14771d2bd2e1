"""When a value is worth sending: it has moved, or nothing was sent for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class SendOnDelta(Checked):
    """When a value is worth sending: it has moved, or nothing was sent for long.

    Takes f32 of any shape and gives b1, and the value that was sent last. It is sent when one element
    has moved by more than `delta` since then, at the first reading, and `longest` readings after the
    last time. A gap is never sent and moves nothing.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Miskowicz, Send-on-delta concept: an event-based data reporting strategy, Sensors 6, 2006",
    )

    delta: float = knob(0.1, low=0, high=1e30, what="how far a value must move")
    longest: int = knob(600, low=1, high=2**20, what="after how many readings it is sent all the same")

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Count the readings since the last time; `longest` of them have passed before the first."""
        x = one(signals, self)
        clock = x.clock or EVERY
        sent = draft.state("sent", np.zeros(x.shape), clock=clock)
        waited = draft.state("waited", self.longest, "i32", low=0, high=self.longest, clock=clock)
        flat, last = (letter.reshape(part, (x.size,)) for part in (x, sent))
        here = word.all_of(word.known(flat))
        moved = word.any_of(letter.lt(letter.const(self.delta, "f32"), word.absolute(letter.sub(flat, last))))
        now = letter.minimum(letter.const(self.longest, "i32"), letter.add(waited, 1))
        due = letter.both(here, letter.either(moved, letter.le(letter.const(self.longest, "i32"), now)))
        value = letter.where(due, x, sent)
        draft.set(sent, value)
        draft.set(waited, letter.where(due, 0, now))
        return due, value

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The first, a move of more than one, and the third in a row that did not move."""
        x = np.array([5.0, 5.5, 6.5, 6.5, np.nan, 6.0, 7.0, 9.0])
        return (Example(cls(1.0, 3), (x,), ([1, 0, 1, 0, 0, 1, 0, 1], [5, 5, 6.5, 6.5, 6.5, 6, 6, 9])),)
