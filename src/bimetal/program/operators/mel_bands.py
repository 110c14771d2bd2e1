"""Bands of a spectrum as the ear hears them: narrow below, wide above."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
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
        """Between two neighbouring edges each element counts in part for one band, and with the rest before.

        A stretch is summed twice, with its shares and with what is left of them, in one loop.
        """
        x = one(signals, self)
        stretch, rise = self.shares(x.shape[0])
        counts = np.array([np.count_nonzero(stretch == k) for k in range(self.bands + 1)])
        first = np.searchsorted(stretch, np.arange(self.bands + 1))
        starts, lengths = letter.const(first, "i32"), letter.const(counts, "i32")
        table = letter.const(rise, "f32")
        nothing = letter.const(np.zeros(x.shape[1:]), "f32")

        def sums(k: Node) -> Node:
            start, length = letter.gather(starts, k), letter.gather(lengths, k)

            def more(held: tuple[Node, ...], i: Node) -> tuple[Node, Node]:
                place = letter.minimum(letter.const(x.shape[0] - 1, "i32"), letter.add(start, i))
                value = letter.where(letter.lt(i, length), letter.gather(x, place), 0.0)
                part = letter.mul(letter.gather(table, place), value)
                return letter.add(held[0], part), letter.add(held[1], letter.sub(value, part))

            return letter.stack(letter.scan(int(counts.max()), (nothing, nothing), more))

        both = letter.each(self.bands + 1, sums)
        up, down = (
            letter.reshape(letter.slice_(both, k, k + 1, axis=1), (self.bands + 1, *x.shape[1:]))
            for k in range(2)
        )
        return letter.add(letter.slice_(up, 0, self.bands), letter.slice_(down, 1, self.bands + 1))

    def shares(self, elements: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return for each element after which edge it lies (-1 and bands + 1: outside), and how far on.

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
        stretch = np.searchsorted(edges, hertz, side="right") - 1
        inside = np.clip(stretch, 0, self.bands)
        rise = np.clip((hertz - edges[inside]) / np.diff(edges)[inside], 0, 1)
        counted = {*stretch[rise > 0], *(stretch[rise < 1] - 1)}
        if not counted.issuperset(range(self.bands)):
            raise BadProgram(
                f"{self.bands} bands are too many for a spectrum of {elements} elements",
                where="MelBands",
                hint="Take fewer bands, or a larger window",
            )
        return stretch, rise

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
