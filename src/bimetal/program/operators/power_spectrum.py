"""How much of the mean square of a window each frequency holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import fourier
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class PowerSpectrum(Checked):
    """How much of the mean square of a window each frequency holds.

    Takes f32 (n, ...), n a power of two within 4..8192, and works along the first axis. Gives
    (n/2 + 1, ...); element k is the power at k / n cycles a reading, and all together add up to the
    mean square of the window: a sine of amplitude a counts as a * a / 2. A gap makes all of them gaps.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Welch, The use of fast Fourier transform for the estimation of power spectra, 1967",
    )

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """The squared size of the transform, twice where a frequency stands for two."""
        return fourier.power(one(signals, self))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A constant and a wave; a wave as fast as can be."""
        x = np.array([[3.0, 5, 3, 1, 3, 5, 3, 1], [1.0, -1, 1, -1, 1, -1, 1, -1]])
        return (Example(cls(), (x,), ([[9, 0, 2, 0, 0], [0, 0, 0, 0, 1]],), within=1e-6),)
