"""One value for every so many readings: their mean, or the last, least or greatest of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft

FOLDS: dict[str, Callable[[Node, Node], Node]] = {
    "mean": letter.add,
    "last": lambda _, x: x,
    "least": letter.minimum,
    "greatest": letter.maximum,
}


@dataclass(frozen=True, slots=True)
class Resample(Checked):
    """One value for every so many readings: their mean, or the last, least or greatest of them.

    Takes f32 of any shape and gives it at a clock that fires after every `period` readings (or values,
    where they are at a slower clock already). `how` is "mean", "last", "least" or "greatest". Gaps are
    passed over; where all are gaps the result is one.
    """

    references: ClassVar[tuple[str, ...]] = ()

    period: int = knob(10, low=1, high=2**20, what="how many readings become one")
    how: str = "mean"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """What was gathered is begun anew after the clock has fired; only the state is read there."""
        x = one(signals, self)
        if self.how not in FOLDS:
            raise BadProgram(f"{self.how!r} is not one of {', '.join(FOLDS)}", where="Resample")
        clock = x.clock or EVERY
        turn = draft.state("turn", 0, "i32", low=0, high=self.period - 1, clock=clock)
        gathered = draft.state("gathered", np.zeros(x.shape), clock=clock)
        count = draft.state("count", np.zeros(x.shape), "i32", low=0, high=self.period, clock=clock)
        here = letter.cast(word.known(x), "i32")
        before = letter.where(letter.lt(turn, 1), 0, count)
        folded = letter.where(letter.lt(before, 1), x, FOLDS[self.how](gathered, x))
        draft.set(gathered, letter.where(word.known(x), folded, gathered))
        draft.set(count, letter.minimum(letter.const(self.period, "i32"), letter.add(before, here)))
        more = letter.add(turn, 1)
        draft.set(turn, letter.where(letter.eq(more, self.period), 0, more))
        return self._given(*(word.sample(s, word.every(self.period, clock)) for s in (gathered, count)))

    def _given(self, gathered: Node, count: Node) -> Node:
        """The result where there was a reading, and 0/0 where there was none."""
        some = letter.lt(letter.const(0, "i32"), count)
        known = letter.where(some, gathered, 0.0)
        if self.how == "mean":
            return letter.div(known, letter.cast(count, "f32"))
        return letter.div(known, letter.where(some, letter.const(1.0, "f32"), 0.0))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Three readings become one; gaps among them."""
        x = np.array([1.0, 2, 6, np.nan, 4, -2, np.nan, np.nan, np.nan, 5, np.nan, np.nan])
        return (
            Example(cls(3), (x,), ([3, 1, np.nan, 5],)),
            Example(cls(3, "last"), (x,), ([6, -2, np.nan, 5],)),
            Example(cls(3, "least"), (x,), ([1, -2, np.nan, 5],)),
            Example(cls(3, "greatest"), (x,), ([6, 4, np.nan, 5],)),
        )
