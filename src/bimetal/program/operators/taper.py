"""Let a window rise from nothing and fall back, so that its ends do not count as jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft

SHAPES: dict[str, tuple[float, ...]] = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
}
"""Coefficients of a sum of cosines."""


@dataclass(frozen=True, slots=True)
class Taper(Checked):
    """Let a window rise from nothing and fall back, so that its ends do not count as jumps.

    Takes f32 (n, ...) and multiplies along the first axis with a `shape` of "hann", "hamming" or
    "blackman": its value at place t is that of a wave of period n, as spectra want it. A Hann taper
    leaves 3/8 of the mean square of noise.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Harris, On the use of windows for harmonic analysis, Proc. IEEE 66, 1978",
    )

    shape: str = "hann"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """A table of as many numbers."""
        x = one(signals, self)
        if self.shape not in SHAPES:
            raise BadProgram(f"{self.shape!r} is not one of {', '.join(SHAPES)}", where="Taper")
        angle = 2 * np.pi * np.arange(x.shape[0]) / x.shape[0]
        waves = [c * (-1) ** k * np.cos(k * angle) for k, c in enumerate(SHAPES[self.shape])]
        return letter.mul(x, word.along(letter.const(np.sum(waves, axis=0), "f32"), x))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Four and five readings, two channels."""
        x = np.array([[4.0, 4.0, 4.0, 4.0]])
        pair = np.array([[[100.0, 0.0], [100.0, 1.0], [100.0, 0.0], [100.0, 0.0]]])
        return (
            Example(cls(), (x,), ([[0, 2, 4, 2]],), within=1e-6),
            Example(cls("hamming"), (pair,), ([[[8, 0], [54, 0.54], [100, 0], [54, 0]]],), within=1e-5),
            Example(cls("blackman"), (x,), ([[0, 1.36, 4, 1.36]],), within=1e-6),
        )
