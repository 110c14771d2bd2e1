"""A filter of finite memory: the recent readings, each with a weight of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Fir(Checked):
    """A filter of finite memory: the recent readings, each with a weight of its own.

    Takes f32 of any shape, filtered element by element; a gap is filled with the last value, and
    readings before the first count as zero. The weights are the parameter `<name>_taps`, that of the
    newest reading first.
    """

    references: ClassVar[tuple[str, ...]] = ("Oppenheim and Schafer, Discrete-time signal processing, 1989",)

    taps: tuple[float, ...] = (0.25, 0.5, 0.25)
    name: str = "fir"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The weighted sum of the readings before, from the oldest on, and then of this one."""
        x = word.hold(draft, one(signals, self))
        if not 1 <= len(self.taps) <= 65536:
            raise BadProgram(f"a filter needs 1 to 65536 taps, not {len(self.taps)}", where="Fir")
        taps = draft.param(f"{self.name}_taps", self.taps, low=-1e6, high=1e6)
        newest = letter.mul(x, letter.reshape(letter.slice_(taps, 0, 1), (1,) * len(x.shape)))
        if len(self.taps) == 1:
            return newest
        before = word.unrolled(*word.push(draft, x, len(self.taps) - 1))
        weights = word.along(letter.slice_(taps, len(self.taps) - 1, 0, -1), before)
        return letter.add(word.total(letter.mul(weights, before), axis=0), newest)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The answer to a single one is the taps themselves."""
        x = np.array([1.0, 0, 0, 0, 2])
        return (Example(cls((3.0, 2.0, 1.0)), (x,), ([3, 2, 1, 0, 6],)),)
