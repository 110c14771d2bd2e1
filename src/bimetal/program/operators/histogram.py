"""How many values of a window lie in each of equal bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Histogram(Checked):
    """How many values of a window lie in each of equal bins.

    Takes f32 (n, ...) and gives i32 counts (bins, ...) along the first axis. What lies outside counts in
    the first or last bin; gaps are not counted.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Pearson, Contributions to the mathematical theory of evolution II, 1895",
    )

    low: float = knob(-1.0, low=-1e30, high=1e30, what="where the first bin begins")
    high: float = knob(1.0, low=-1e30, high=1e30, what="where the last bin ends")
    bins: int = knob(8, low=1, high=4096, what="how many bins there are")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Each value's bin by a cast, which rounds down; then count for each bin."""
        x = one(signals, self)
        if not self.low < self.high:
            raise BadProgram(f"bins from {self.low} to {self.high} hold nothing", where="Histogram")
        scaled = letter.mul(letter.sub(x, self.low), self.bins / (self.high - self.low))
        place = letter.cast(word.clip(scaled, 0.0, self.bins - 0.5), "i32")
        where = letter.where(word.known(x), place, -1)
        return letter.each(self.bins, lambda k: word.total(letter.cast(letter.eq(where, k), "i32"), axis=0))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Four bins of a half each; an edge belongs to the bin above it."""
        x = np.array([[-9.0, -0.75, -0.5, 0.0, 0.2, np.nan, 1.0, np.inf]])
        return (Example(cls(bins=4), (x,), ([[2, 1, 2, 2]],)),)
