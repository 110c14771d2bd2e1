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
        "Stoer and Bulirsch, Introduction to numerical analysis, 1980: Reinsch's differences",
    )

    frequencies: tuple[float, ...] = (0.25,)
    size: int = knob(64, low=2, high=65536, what="after how many readings the next answer comes")

    @classmethod
    def of_frequencies(cls, frequencies_hz: tuple[float, ...], *, rate_hz: float, size: int) -> Goertzel:
        """Return the operator for frequencies of readings that come `rate_hz` times a second."""
        return cls(tuple(f / rate_hz for f in frequencies_hz), size)

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """d = x + g s' + q d' and s = d + q s', with q the sign of cos(w) and g = 2 cos(w) - 2 q.

        At the end d d - g s q (s - d) is the squared size. This is s = x + 2 cos(w) s' - s'' written with
        differences, so that slow waves and the fastest ones do not drown in rounding.
        """
        x = word.hold(draft, one(signals, self))
        if not self.frequencies or not all(0 <= f <= 0.5 for f in self.frequencies):
            raise BadProgram(f"frequencies {self.frequencies} must be within 0..0.5", where="Goertzel")
        clock, shape = x.clock or EVERY, (len(self.frequencies), *x.shape)
        count = draft.state("count", 0, "i32", low=0, high=self.size - 1, clock=clock)
        d, s = (draft.state(name, np.zeros(shape), clock=clock) for name in ("difference", "sum"))
        sign, turn, scale = (word.along(table, s) for table in self._tables())
        d_before, s_before = (letter.where(letter.lt(count, 1), 0.0, state) for state in (d, s))
        moved = letter.add(letter.add(letter.mul(turn, s_before), letter.mul(sign, d_before)), x)
        draft.set(d, moved)
        draft.set(s, letter.add(moved, letter.mul(sign, s_before)))
        more = letter.add(count, 1)
        draft.set(count, letter.where(letter.eq(more, self.size), 0, more))
        d, s = (word.sample(state, word.every(self.size, clock)) for state in (d, s))
        across = letter.mul(letter.mul(turn, s), letter.mul(sign, letter.sub(s, d)))
        size = letter.maximum(letter.sub(letter.mul(d, d), across), 0.0)
        return letter.mul(scale, size)

    def _tables(self) -> tuple[Node, Node, Node]:
        """The sign q, the factor g, and what the squared size is scaled by, for each frequency."""
        q = np.array([1.0 if f <= 0.25 else -1.0 for f in self.frequencies])
        half = np.array([np.pi * (f if f <= 0.25 else 0.5 - f) for f in self.frequencies])
        twice = np.array([1 if f in (0, 0.5) else 2 for f in self.frequencies])
        tables = q, -4 * q * np.sin(half) ** 2, twice / self.size**2
        sign, turn, scale = (letter.const(table, "f32") for table in tables)
        return sign, turn, scale

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A constant 1, a sine of amplitude 2 and the fastest wave, each alone in its four readings."""
        x = np.array([1.0, 1, 1, 1, 0, 2, 0, -2, 3, -3, 3, -3])
        expected = [[1, 0, 0], [0, 2, 0], [0, 0, 9]]
        return (Example(cls((0.0, 0.25, 0.5), 4), (x,), (expected,), within=1e-5),)
