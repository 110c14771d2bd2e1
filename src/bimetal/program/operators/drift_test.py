"""Whether high scores have become more frequent than they were in the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft

ONE_IN = 10
"""In the history one block in so many reached the level."""
TRIED = (0.3, 0.6, 0.9)
"""How often blocks may reach it after a change; all three are bet on."""
NEVER = 1e9


@dataclass(frozen=True, slots=True)
class DriftTest(Checked):
    """Whether high scores have become more frequent than they were in the history.

    Takes an f32 score () and gives b1 () after every `block` readings. In the history one block in ten
    reached `<name>_level` (a parameter). Each block is a bet on that having become three, six or nine in
    ten; what all bets that could have been begun so far have won is the Shiryaev-Roberts statistic, and its
    mean over the three says "changed" from `<name>_patience` on. As long as nothing has changed, and blocks
    do not depend on each other, that takes `<name>_patience` blocks on average or more, whatever the scores
    are like. It is kept below four times that, so that a change that is over is soon taken back.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Roberts, A comparison of some control chart procedures, Technometrics 8, 1966",
        "Shin, Ramdas and Rinaldo, E-detectors, New England Journal of Statistics in Data Science 2, 2024",
    )

    block: int = knob(256, low=1, high=65536, what="how many readings are one block")
    level: float = knob(NEVER, low=0, high=NEVER, what="what one block in ten reached")
    patience: float = knob(NEVER, low=1, high=NEVER, what="how many blocks it should take without a change")
    name: str = "drift"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The largest score of a block is held against the level, and the bets are settled."""
        score = one(signals, self)
        level = draft.param(f"{self.name}_level", self.level, low=0, high=NEVER)
        patience = draft.param(f"{self.name}_patience", self.patience, low=1, high=NEVER)
        top = self._top(draft, word.otherwise(score, 0.0))
        blocks = word.every(self.block, score.clock or EVERY)
        tried = np.array(TRIED)
        factor = letter.where(
            letter.le(level, word.sample(top, blocks)),
            letter.const(tried * ONE_IN, "f32"),
            letter.const((1 - tried) / (1 - 1 / ONE_IN), "f32"),
        )
        before = draft.state("winnings", np.zeros(len(TRIED)), low=0, high=4 * NEVER, clock=blocks)
        most = letter.minimum(letter.const(4 * NEVER, "f32"), letter.mul(patience, 4.0))
        after = letter.minimum(letter.mul(letter.add(before, 1.0), factor), most)
        draft.set(before, after)
        return letter.le(patience, word.mean(after))

    def _top(self, draft: Draft, score: Node) -> Node:
        """The largest score of the block so far, as a state."""
        clock = score.clock or EVERY
        place = draft.state("place", 0, "i32", low=0, high=self.block, clock=clock)
        top = draft.state("top", 0.0, clock=clock)
        new = letter.either(letter.eq(place, 0), letter.eq(place, self.block))
        draft.set(
            place, letter.where(new, 1, letter.minimum(letter.const(self.block, "i32"), letter.add(place, 1)))
        )
        draft.set(top, letter.where(new, score, letter.maximum(top, score)))
        return top

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One block that reaches the level may be chance, two of three are not."""
        score = np.array([0.0, 2.0, 0.5, 0.0, 3.0, 0.0, 0.9])
        return (Example(cls(2, 1.0, 6.5), (score,), ([0, 0, 1],)),)
