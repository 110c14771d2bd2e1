"""The discrete Fourier transform of a window, as real and imaginary parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import fourier
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Rfft(Checked):
    """The discrete Fourier transform of a window, as real and imaginary parts.

    Takes f32 (n, ...), n a power of two within 4..8192, and works along the first axis. Gives real and
    imaginary parts (n/2 + 1, ...): X[k] = sum over t of x[t] exp(-2 pi i k t / n). A gap makes all of
    them gaps.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Cooley, Lewis and Welch, The fast Fourier transform algorithm, 1970",
        "Pease, An adaptation of the fast Fourier transform for parallel processing, J. ACM 15, 1968",
    )

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """See program/fourier.py."""
        return fourier.rfft(one(signals, self))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A single one holds all waves; a wave of two periods is its own."""
        x = np.array([[1.0, 0, 0, 0, 0, 0, 0, 0], [0.0, 1, 0, -1, 0, 1, 0, -1]])
        re = [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]
        im = [[0, 0, 0, 0, 0], [0, 0, -4, 0, 0]]
        return (Example(cls(), (x,), (re, im), within=1e-6),)
