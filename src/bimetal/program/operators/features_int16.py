"""What a window of vibration looks like, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import fourier_whole, letter, whole, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft
from bimetal.program.whole import OCTAVE, Window


@dataclass(frozen=True, slots=True)
class FeaturesInt16(Checked):
    """What a window of vibration looks like, in whole numbers.

    Takes i16 (n,) or (n, channels), n 64 or 256, and gives i16 (7 + bands,) or (channels, 7 + bands), all of
    what is off the mean: root mean square, peak, span (peak to peak), crest factor and kurtosis as 256 times
    their binary logarithms; the skewness times 256; how often the sign changes; and 256 times the binary
    logarithm of the mean square in each band of the spectrum of the window, tapered (Hann). Band b holds
    elements of the spectrum from edge b up to, not including, edge b + 1, element k being k / n cycles a
    reading; `edges` are even and up to n/2. The mean is in no band. Without edges there are no bands.

    Where the peak is 64 or more, logarithms are within 4 of the true values, the skewness within 2 or a
    fiftieth, and bands within 16 where their root mean square is a fiftieth of the peak or more; one 50 dB
    below the peak cannot be told from none. A window that does not vary has zeros, and bands of -2304. No
    float is computed: a processor without float unit takes a twentieth of the instructions of Rms, Peak,
    Moments, ZeroCross, Taper and PowerSpectrum.
    """

    references: ClassVar[tuple[str, ...]] = (
        "ISO 13373-2:2016, vibration condition monitoring",
        "Gentleman and Sande, Fast Fourier transforms for fun and profit, 1966",
        "Mitchell, Computer multiplication and division using binary logarithms, 1962",
    )

    edges: tuple[int, ...] = (0, 8, 24, 64, 128)

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """A loop for the mean and the peak, one for powers, a transform; logarithms side by side."""
        x = one(signals, self, "i16")
        most, edges = (x.shape[0] if x.shape else 0) // 2, self.edges
        rises = all(a < b for a, b in pairwise(edges)) and len(edges) != 1
        if edges and not (rises and edges[0] >= 0 and edges[-1] <= most):
            raise BadProgram(f"edges {edges} do not rise within 0..{most}", where="FeaturesInt16")
        if any(edge % 2 for edge in edges):
            raise BadProgram(f"edges {edges} are not even", where="FeaturesInt16")
        return whole.by_channel(x, "FeaturesInt16", self._channel)

    def _channel(self, window: Window) -> Node:
        bits, count = window.size.bit_length() - 1, max(0, len(self.edges) - 1)
        bands = fourier_whole.sums(window.scaled, window.size, count, self._sums) if count else ()
        squares, cubes, fourths, crossings = _powers(window, bits)
        least, most = (letter.shl(edge, bits) for edge in (window.least, window.most))
        peak = letter.maximum(letter.sub(most, window.total), letter.sub(window.total, least))
        span = letter.sub(window.most, window.least)
        height, width = (letter.where(letter.lt(0, squares), size, 0) for size in (peak, span))
        logs = whole.log2(letter.stack([*bands, squares, fourths, word.absolute(cubes), height, width]))
        # Asked of a logarithm, so that the spectrum comes first and what follows lies where it lay: 56 bytes.
        moving = letter.lt(0, whole.at(logs, count))
        shape = _shape([whole.at(logs, count + k) for k in range(5)], window, bits, cubes)
        found = [*(letter.where(moving, value, 0) for value in shape), crossings]
        double = letter.mul(letter.sub(window.halvings, 5), 2 * OCTAVE)
        found += [letter.add(whole.at(logs, k), letter.add(double, OCTAVE)) for k in range(count)]
        return letter.stack([letter.cast(value, "i16") for value in found])

    def _sums(self, power: Node, odd: Node) -> list[Node]:
        """The sums of the even or the odd elements of each band; the upper half comes last to first."""
        middle = power.shape[0]
        low, high = (letter.reshape(letter.slice_(power, k, k + 1, axis=1), (middle,)) for k in range(2))
        found: list[Node] = []
        for a, b in pairwise(edge // 2 for edge in self.edges):
            sums = [word.total(letter.slice_(low, a, min(b, middle)))] if a < middle else []
            if b > middle:
                places = letter.add(letter.iota(b - max(a, middle)), letter.sub(2 * middle + 1 - b, odd))
                sums.append(word.total(letter.gather(high, letter.band(places, middle - 1))))
            found.append(sums[0] if len(sums) == 1 else letter.add(*sums))
        return found

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A rectangle of height 1,024, one knock in 64, and nothing; two waves in bands of their own."""
        x = np.zeros((3, 64), np.int16)
        x[0], x[1, 5] = [1024, -1024] * 32, 6400
        shapes = [[2560, 2560, 2816, 0, 0, 0, 63], [2466, 3231, 3237, 765, 1524, 2000, 2], [0] * 7]
        t = 2 * np.pi * np.arange(64) / 64
        waves = np.round(4096 * np.sin(2 * t) + 512 * np.cos(20 * t) + 100).astype(np.int16)
        pair = np.stack([waves, 100 - waves // 2], axis=1)[None]
        one, half = (
            [2947, 3115, 3355, 169, 161, 0, 3, 5526, 3990],
            [2691, 2859, 3099, 169, 161, 0, 3, 5014, 3478],
        )
        return (
            Example(cls(()), (x,), (shapes,), within=5),
            Example(cls((0, 8, 24)), (pair,), ([[one, half]],), within=5),
        )


def _shape(logs: list[Node], window: Window, bits: int, cubes: Node) -> list[Node]:
    """Root mean square, peak, span, crest factor, kurtosis and skewness from logarithms of sums."""
    square, fourth, cube, height, width = logs
    rms = window.level(letter.shr(letter.sub(square, 6 * OCTAVE), 1))
    height = letter.sub(height, bits * OCTAVE)
    crest = word.clip(letter.sub(height, rms), 0, bits * OCTAVE // 2)
    steep = letter.add(letter.sub(fourth, letter.shl(square, 1)), (40 - bits) * OCTAVE)
    kurtosis = word.clip(steep, 0, bits * OCTAVE)
    aside = letter.sub(cube, letter.shr(letter.mul(square, 3), 1))
    skew = whole.exp2(letter.add(aside, (23 - bits) * OCTAVE), bits // 2)
    skewness = letter.where(letter.lt(cubes, 0), letter.neg(skew), skew)
    return [rms, height, width, crest, kurtosis, skewness]


def _powers(window: Window, bits: int) -> tuple[Node, ...]:
    """Sums of squares, cubes and fourth powers of scaled readings, and how often their sign changes.

    Squares are times 2**(6 - bits); in cubes and fourth powers they are times 2**-14 first.
    """

    def more(held: tuple[Node, ...], place: Node) -> list[Node]:
        z = window.scaled(place)
        square, sign = letter.mul(z, z), letter.shr(z, 31)
        part = letter.shr(letter.add(square, 2**13), 14)
        step = letter.sub(sign, held[4])
        parts = (
            letter.shr(square, bits - 6),
            letter.mul(part, z),
            letter.mul(part, part),
            letter.mul(step, step),
        )
        return [*(letter.add(a, b) for a, b in zip(held[:4], parts, strict=True)), sign]

    nothing = letter.const(0, "i32")
    before = letter.shr(window.scaled(nothing), 31)
    return letter.scan(window.size, [nothing, nothing, nothing, nothing, before], more)[:4]
