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

    Takes an f32 score () whose threshold is 1, and gives the alarm, b1 (), and i32 (), how many alarms the
    budget has held back so far, up to 65536. Trouble begins when the score has been at the threshold
    for `needed` readings in a row, and ends when it has been below `keep` for `hold` readings.

    Trouble is told by an alarm, which takes a token; without one it is held back until there is one and the
    score is at the threshold. There are `burst` tokens at first and at most, and `<name>_refill` (a
    parameter) more at every reading: in T readings no more than burst + T * refill alarms begin, whatever
    the scores.
    """

    references: ClassVar[tuple[str, ...]] = (
        "ANSI/ISA-18.2, Management of alarm systems: on-delay, off-delay, deadband",
        "Turner, New directions in communications, IEEE Communications Magazine 24, 1986 (the token bucket)",
    )

    needed: int = knob(1, low=1, high=65536, what="how many readings in a row must be at the threshold")
    hold: int = knob(16, low=1, high=65536, what="how many readings in a row below `keep` end an alarm")
    keep: float = knob(word.KEEP, low=0, high=1, what="which part of the threshold keeps up an alarm")
    burst: int = knob(8, low=1, high=65536, what="how many alarms may begin at once")
    name: str = "alarm"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Trouble lasts until the score has been low for a while; it is told, now or later, or held back."""
        score = one(signals, self)
        clock = score.clock or EVERY
        left = draft.state("trouble_left", 0, "i32", low=0, high=self.hold, clock=clock)
        told = draft.state("told", False, "b1", clock=clock)
        held = draft.state("held_back", 0, "i32", low=0, high=65536, clock=clock)
        tokens = draft.state("tokens", self.burst, low=0, high=self.burst, clock=clock)
        refill = draft.param(f"{self.name}_refill", 0.0, low=0, high=1)

        on = letter.lt(letter.const(0, "i32"), left)
        over = letter.le(letter.const(1.0, "f32"), score)
        run = word.counted(draft, over, self.needed, "over")
        lasts = letter.both(on, letter.le(letter.const(self.keep, "f32"), score))
        fires = letter.either(lasts, letter.both(over, letter.eq(run, self.needed)))
        less = letter.maximum(letter.const(0, "i32"), letter.sub(left, 1))
        after = letter.where(fires, letter.const(self.hold, "i32"), less)
        draft.set(left, after)
        begins = letter.both(fires, letter.invert(on))
        full = word.clip(letter.add(tokens, refill), 0.0, self.burst)
        may = letter.le(letter.const(1.0, "f32"), full)
        asks = letter.either(begins, letter.both(over, letter.both(on, letter.invert(told))))
        pays = letter.both(asks, may)
        price = letter.cast(letter.cast(pays, "i32"), "f32")
        draft.set(tokens, word.clip(letter.sub(full, price), 0.0, self.burst))
        tells = letter.either(pays, letter.both(told, letter.invert(begins)))
        draft.set(told, tells)
        more = letter.minimum(letter.const(65536, "i32"), letter.add(held, 1))
        count = letter.where(letter.both(begins, letter.invert(may)), more, held)
        draft.set(held, count)
        return letter.both(tells, letter.lt(letter.const(0, "i32"), after)), count

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """It lasts one reading longer than the score is rather high; the second one is beyond the budget."""
        score = np.array([0.9, 1.0, 0.9, 0.5, 0.5, 1.0, 1.2, 0.0])
        return (
            Example(cls(hold=2, burst=1), (score,), ([0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 1])),
            Example(cls(hold=2, keep=1.0), (score,), ([0, 1, 1, 0, 0, 1, 1, 1], [0] * 8)),
        )
