"""The power of chosen frequencies, reading by reading, with no window kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Goertzel(Checked):
    """The power of chosen frequencies, reading by reading, with no window kept.

    Takes f32 of any shape and gives (frequencies, ...) after every `size` readings: how much of their
    mean square each frequency holds; a sine of amplitude a counts as a * a / 2. A gap is filled with the
    last value. `frequencies` are in cycles a reading, within 0..0.5; a window of n readings tells those
    apart that differ by 1 / n.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Goertzel, An algorithm for the evaluation of finite trigonometric series, 1958",
    )

    frequencies: tuple[float, ...] = (0.25,)
    size: int = knob(64, low=2, high=65536, what="after how many readings the next answer comes")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """s = x + 2 cos(w) s' - s''; at the end s s + s' s' - 2 cos(w) s s' is the squared size."""
        x = word.hold(draft, one(signals, self))
        if not self.frequencies or not all(0 <= f <= 0.5 for f in self.frequencies):
            raise BadProgram(f"frequencies {self.frequencies} must be within 0..0.5", where="Goertzel")
        clock, shape = x.clock or EVERY, (len(self.frequencies), *x.shape)
        turn = np.array([2 * np.cos(2 * np.pi * f) for f in self.frequencies])
        scale = np.array([(1 if f in (0, 0.5) else 2) / self.size**2 for f in self.frequencies])
        s1, s2 = (draft.state(name, np.zeros(shape), clock=clock) for name in ("sum", "sum_before"))
        count = draft.state("count", 0, "i32", low=0, high=self.size - 1, clock=clock)
        fresh, more = letter.lt(count, 1), letter.add(count, 1)
        one_back, two_back = (letter.where(fresh, 0.0, s) for s in (s1, s2))
        turned = letter.mul(word.along(letter.const(turn, "f32"), s1), one_back)
        draft.set(s1, letter.add(letter.sub(turned, two_back), x))
        draft.set(s2, one_back)
        draft.set(count, letter.where(letter.eq(more, self.size), 0, more))
        a, b = (word.sample(s, word.every(self.size, clock)) for s in (s1, s2))
        across = letter.mul(letter.mul(word.along(letter.const(turn, "f32"), a), a), b)
        size = letter.sub(letter.add(letter.mul(a, a), letter.mul(b, b)), across)
        return letter.mul(word.along(letter.const(scale, "f32"), size), size)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A constant 1, a sine of amplitude 2 and the fastest wave, each alone in its four readings."""
        x = np.array([1.0, 1, 1, 1, 0, 2, 0, -2, 3, -3, 3, -3])
        expected = [[1, 0, 0], [0, 2, 0], [0, 0, 9]]
        return (Example(cls((0.0, 0.25, 0.5), 4), (x,), (expected,), within=1e-5),)
