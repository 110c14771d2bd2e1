"""Small shifts that stay: how far values have run away to one side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Cusum(Checked):
    """Small shifts that stay: how far values have run away to one side.

    Takes f32 of any shape, standardised (mean 0, spread 1), and gives the larger of two sums and a b1:
    whether it is above `limit`. The upper sum adds x - slack, the lower -x - slack, neither falls below
    0, and both begin anew after an alarm. A gap changes nothing. Slack 0.5 and limit 5 find a shift of
    one spread after some ten readings, and one in 465 readings is a false alarm.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Page, Continuous inspection schemes, Biometrika 41, 1954",
        "Montgomery, Introduction to statistical quality control, 2009: average run lengths",
    )

    slack: float = knob(0.5, low=0, high=1e6, what="what is taken off: half of the shift to be found")
    limit: float = knob(5.0, low=0, high=1e9, what="above which sum there is an alarm")

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Two sums, kept within 0..1e12."""
        x = one(signals, self)
        clock = x.clock or EVERY
        nothing = letter.const(np.zeros(x.shape), "f32")
        up, down = (
            draft.state(name, np.zeros(x.shape), low=0.0, high=1e12, clock=clock) for name in ("up", "down")
        )
        here = word.known(x)

        def moved(before: Node, by: Node) -> Node:
            added = word.clip(letter.add(before, letter.sub(by, self.slack)), 0.0, 1e12)
            return letter.where(here, added, before)

        higher, lower = moved(up, x), moved(down, letter.neg(x))
        most = letter.maximum(higher, lower)
        alarm = letter.lt(letter.const(self.limit, "f32"), most)
        draft.set(up, letter.where(alarm, nothing, higher))
        draft.set(down, letter.where(alarm, nothing, lower))
        return most, alarm

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A shift of 1.5 upwards is found at its sixth reading; then it begins anew."""
        x = np.array([0.0, -1.0, 1.5, 1.5, np.nan, 1.5, 1.5, 1.5, 1.5, -2.5])
        sums = [0, 0.5, 1, 2, 2, 3, 4, 5, 6, 2]
        return (Example(cls(), (x,), (sums, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0])),)
