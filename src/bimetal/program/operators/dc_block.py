"""Take away what does not change: a first-order high-pass filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class DcBlock(Checked):
    """Take away what does not change: a first-order high-pass filter.

    Takes f32 of any shape, filtered element by element, and starts as if the first value had been there
    for ever. A gap is filled with the last value. It halves the power at about (1 - pole) / (2 pi)
    cycles a reading.
    """

    references: ClassVar[tuple[str, ...]] = ("Smith, Introduction to digital filters, 2007, DC blocker",)

    pole: float = knob(0.995, low=0, high=0.999999, what="how long it remembers: nearer to 1 is longer")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """y = x - x' + pole * y'."""
        x = one(signals, self)
        clock = x.clock or EVERY
        now = word.hold(draft, x)
        started = draft.state("started", np.zeros(x.shape), "b1", clock=clock)
        last = draft.state("last", np.zeros(x.shape), clock=clock)
        given = draft.state("given", np.zeros(x.shape), clock=clock)
        moved = letter.add(letter.sub(now, last), letter.mul(given, self.pole))
        value = letter.where(started, moved, 0.0)
        draft.set(started, letter.either(started, word.known(x)))
        draft.set(last, now)
        draft.set(given, value)
        return value

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A step is seen and fades."""
        x = np.array([np.nan, 5.0, 5.0, 9.0, 9.0, np.nan, 9.0])
        return (Example(cls(0.5), (x,), ([0, 0, 0, 4, 2, 1, 0.5],)),)
