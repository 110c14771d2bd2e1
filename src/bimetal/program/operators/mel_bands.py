"""Bands of a spectrum as the ear hears them: narrow below, wide above."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class MelBands(Checked):
    """Bands of a spectrum as the ear hears them: narrow below, wide above.

    Takes a power spectrum f32 (n/2 + 1, ...) of readings at `rate_hz` and gives (bands, ...). Each band
    is a triangle over its two neighbours' centres, which are evenly spaced on the mel scale between
    `low_hz` and `high_hz`.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Stevens, Volkmann and Newman, A scale for the measurement of pitch, J. Acoust. Soc. Am. 8, 1937",
        "Young and others, The HTK book, 2002: 2595 log10(1 + f / 700)",
    )

    bands: int = knob(40, low=1, high=1024, what="how many bands there are")
    rate_hz: float = knob(16000.0, low=1e-6, high=1e9, unit="Hz", what="how many readings a second there are")
    low_hz: float = knob(0.0, low=0, high=1e9, unit="Hz", what="where the lowest band begins")
    high_hz: float = knob(8000.0, low=1e-6, high=1e9, unit="Hz", what="where the highest band ends")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Each band is a weighted sum of as many elements as the widest has."""
        x = one(signals, self)
        weights = self.weights(x.shape[0])
        inside = [np.flatnonzero(row) for row in weights]
        widest = max(int(at[-1] - at[0]) + 1 for at in inside)
        first = [min(int(at[0]), x.shape[0] - widest) for at in inside]
        packed = letter.const(
            [row[at : at + widest].tolist() for row, at in zip(weights, first, strict=True)], "f32"
        )
        starts = letter.const(first, "i32")

        def band(k: Node) -> Node:
            part = letter.gather(x, letter.add(letter.iota(widest), letter.gather(starts, k)))
            return word.total(letter.mul(word.along(letter.gather(packed, k), part), part), axis=0)

        return letter.each(self.bands, band)

    def weights(self, elements: int) -> NDArray[np.float64]:
        """Return what each element counts in each band, (bands, elements).

        Raises BadProgram where the bands leave the spectrum, or are so narrow that one is empty.
        """
        if not self.low_hz < self.high_hz <= self.rate_hz / 2:
            raise BadProgram(
                f"bands from {self.low_hz} to {self.high_hz} Hz do not lie within 0..{self.rate_hz / 2}",
                where="MelBands",
            )
        lowest, highest = (math.log10(1 + f / 700) for f in (self.low_hz, self.high_hz))
        pitch = lowest + (highest - lowest) * np.arange(self.bands + 2) / (self.bands + 1)
        edges = 700 * (10**pitch - 1)
        hertz = np.arange(elements) * (self.rate_hz / 2 / (elements - 1))
        rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
        weights = np.maximum(0, np.minimum(rise, fall))
        if not weights.any(axis=1).all():
            raise BadProgram(
                f"{self.bands} bands are too many for a spectrum of {elements} elements",
                where="MelBands",
                hint="Take fewer bands, or a larger window",
            )
        return weights

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One band from 0 to 700 Hz: its centre, half way up in pitch, lies at 289.95 Hz."""
        made = cls(1, 2000.0, 0.0, 700.0)
        x = np.array([[1.0, 0, 0, 0, 0, 0], [0.0, 1, 0, 0, 0, 0], [0.0, 0, 0, 1, 1, 1], [0.0, 0, 1, 1, 0, 0]])
        at = 700 * (2**0.5 - 1)
        return (
            Example(
                made,
                (x,),
                ([[0], [200 / at], [100 / (700 - at)], [400 / (700 - at)]],),
                within=1e-6,
            ),
        )
