"""A second-order filter: low-pass, high-pass, notch or resonator by its coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Biquad(Checked):
    """A second-order filter: low-pass, high-pass, notch or resonator by its coefficients.

    Takes f32 of any shape, filtered element by element; a gap is filled with the last value. The five
    coefficients (a0 = 1) are the parameter `<name>_coefficients`: b0, b1, b2, a1, a2.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients, W3C Note 2021",
    )

    coefficients: tuple[float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 0.0)
    name: str = "biquad"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The transposed direct form II."""
        x = word.hold(draft, one(signals, self))
        c = draft.param(f"{self.name}_coefficients", self.coefficients, low=-1e6, high=1e6)
        b0, b1, b2, a1, a2 = (letter.reshape(letter.slice_(c, k, k + 1), ()) for k in range(5))
        first = draft.state("first", np.zeros(x.shape), clock=x.clock or EVERY)
        second = draft.state("second", np.zeros(x.shape), clock=x.clock or EVERY)
        y = letter.add(letter.mul(b0, x), first)
        draft.set(first, letter.add(letter.sub(letter.mul(b1, x), letter.mul(a1, y)), second))
        draft.set(second, letter.sub(letter.mul(b2, x), letter.mul(a2, y)))
        return y

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The impulse response of y = x + 2 x' + 3 x'' + y' / 2."""
        x = np.array([1.0, 0, 0, 0, 0])
        return (Example(cls((1.0, 2.0, 3.0, -0.5, 0.0)), (x,), ([1, 2.5, 4.25, 2.125, 1.0625],)),)
