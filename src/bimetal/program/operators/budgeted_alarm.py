"""When a score becomes an alarm, how long it lasts, and how a budget of alarms is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class BudgetedAlarm(Checked):
    """When a score becomes an alarm, how long it lasts, and how a budget of alarms is kept.

    Takes an f32 score () whose threshold is 1. An alarm begins when the score has been at the threshold
    for `needed` readings in a row, and ends when it has been below for `hold` readings. Every alarm that
    begins lifts the threshold for the next one by `lift`, up to `most`; the lift then fades by the factor
    `<name>_fade` (a parameter) at every reading.
    """

    references: ClassVar[tuple[str, ...]] = (
        "ANSI/ISA-18.2, Management of alarm systems: on-delay, off-delay",
        "Gibbs and Candes, Adaptive conformal inference under distribution shift, 2021",
    )

    needed: int = knob(1, low=1, high=65536, what="how many readings in a row must be at the threshold")
    hold: int = knob(16, low=1, high=65536, what="how many readings in a row below it end an alarm")
    lift: float = knob(0.125, low=0, high=10, what="what each alarm adds to the threshold of the next")
    most: float = knob(0.375, low=0, high=10, what="the most that is added to the threshold")
    name: str = "alarm"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """While an alarm is on, the threshold is 1 again."""
        score = one(signals, self)
        clock = score.clock or EVERY
        left = draft.state("alarm_left", 0, "i32", low=0, high=self.hold, clock=clock)
        lifted = draft.state("lifted", 0.0, low=0, high=self.most, clock=clock)
        on = letter.lt(letter.const(0, "i32"), left)
        over = letter.le(letter.where(on, 1.0, letter.add(lifted, 1.0)), score)
        run = word.counted(draft, over, self.needed, "over")
        fires = letter.both(over, letter.either(on, letter.eq(run, self.needed)))
        after = letter.where(
            fires, letter.const(self.hold, "i32"), letter.maximum(letter.const(0, "i32"), letter.sub(left, 1))
        )
        draft.set(left, after)
        alarm = letter.lt(letter.const(0, "i32"), after)
        begins = letter.both(alarm, letter.invert(on))
        fade = draft.param(f"{self.name}_fade", 1.0, low=0, high=1)
        faded = letter.add(
            letter.mul(lifted, fade), letter.where(begins, letter.const(self.lift, "f32"), 0.0)
        )
        draft.set(lifted, word.clip(faded, 0.0, self.most))
        return alarm

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """It lasts one reading longer than the score is high; then 1.0 is not enough any more."""
        score = np.array([0.9, 1.0, 1.5, 0.5, 0.5, 1.0, 1.2])
        return (Example(cls(hold=2, lift=0.125), (score,), ([0, 1, 1, 1, 0, 0, 1],)),)
