"""Whole words: scaling, logarithms and powers of two in whole numbers, for where there is no float unit.

Logarithms are to the base of two, in steps of 1/256: equal ratios are equal differences, a product is a
sum, and no window is too weak or too strong for 16 bits. A curve between two powers of two is one of third
degree (Mitchell, "Computer multiplication and division using binary logarithms", 1962, and a correction).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node

OCTAVE = 256
"""Steps of a logarithm for a factor of two."""
SIZES = (64, 256)
"""Lengths of windows: what a transform in stages of four takes, and sums of 32 bits hold."""
FINEST = 14
"""Powers of two that readings are multiplied with at most, before the steps of a window are cut off."""


@dataclass(frozen=True, slots=True)
class Window:
    """A channel of a window of i16, and how its mean is taken away and its peak made to have twelve bits.

    Reading `place` lies at `place * stride + first` of `flat`; there are `size` of them, with that `total`,
    `least` and `most`. A reading times `factor` less `offset` is what it is off the mean by, times
    2**(14 - halvings).
    """

    flat: Node
    size: int
    stride: int
    first: Node
    total: Node
    least: Node
    most: Node
    factor: Node
    offset: Node
    halvings: Node

    def scaled(self, place: Node) -> Node:
        """A reading less the mean, times 2**(5 - halvings), within -4096..4095.

        Shifted left and right, for it has that few bits, which the verifier could not know.
        """
        reading = _reading(self.flat, self.stride, self.first, place)
        off = letter.sub(letter.mul(reading, self.factor), self.offset)
        return letter.shr(letter.shl(off, 10), 19)

    def level(self, logarithm: Node) -> Node:
        """The logarithm of a size of readings, from that of one of scaled readings."""
        return letter.add(logarithm, letter.mul(letter.sub(self.halvings, 5), OCTAVE))


def by_channel(x: Node, where: str, of: Callable[[Window], Node]) -> Node:
    """Stack what `of` gives for each channel of a window, i16 (64,), (256,) or one of these by channels.

    Readings are taken from where they lie, not copied. Raises BadProgram for other windows.
    """
    if x.dtype != "i16" or len(x.shape) not in (1, 2) or x.shape[0] not in SIZES:
        raise BadProgram(f"it takes i16 windows of 64 or 256 readings, not {x!r}", where=where)
    if len(x.shape) == 1:
        return of(_window(x, x.size, 1, letter.const(0, "i32")))
    size, channels = x.shape
    flat = letter.reshape(x, (x.size,))
    return letter.each(channels, lambda channel: of(_window(flat, size, channels, channel)))


def _reading(flat: Node, stride: int, first: Node, place: Node) -> Node:
    return letter.cast(letter.gather(flat, letter.add(letter.mul(place, stride), first)), "i32")


def _window(flat: Node, size: int, stride: int, first: Node) -> Window:
    """Sum, least and greatest in one loop, then how often the finest factor must be halved."""

    def more(held: tuple[Node, ...], place: Node) -> tuple[Node, Node, Node]:
        item = _reading(flat, stride, first, place)
        return letter.add(held[0], item), letter.minimum(held[1], item), letter.maximum(held[2], item)

    bits = size.bit_length() - 1
    start = [letter.const(value, "i32") for value in (0, 32767, -32768)]
    total, least, most = letter.scan(size, start, more)
    mean = letter.shr(total, bits)
    peak = letter.add(letter.maximum(letter.sub(most, mean), letter.sub(mean, least)), 1)

    def halve(held: tuple[Node, ...], _: Node) -> tuple[Node, Node]:
        large = letter.lt(2**21 - 2**9, letter.mul(peak, held[0]))
        return letter.where(large, letter.shr(held[0], 1), held[0]), letter.add(
            held[1], letter.cast(large, "i32")
        )

    finest = [letter.const(2**FINEST, "i32"), letter.const(0, "i32")]
    factor, halvings = letter.scan(10, finest, halve)
    offset = letter.sub(letter.mulshr(total, factor, bits), 2**8)
    return Window(flat, size, stride, first, total, least, most, factor, offset, halvings)


def at(x: Node, place: int) -> Node:
    """An element of a vector."""
    return letter.reshape(letter.slice_(x, place, place + 1), ())


def log2(x: Node) -> Node:
    """256 times the binary logarithm of i32, within 1 of the true value; what is below 1 counts as 1."""
    value = letter.maximum(letter.const(1, "i32"), x)
    power = letter.const(30 * OCTAVE, "i32")
    for by in (16, 8, 4, 2, 1):
        small = letter.lt(value, 1 << (31 - by))
        value = letter.where(small, letter.shl(value, by), value)
        power = letter.where(small, letter.sub(power, by * OCTAVE), power)
    part = letter.band(letter.shr(value, 15), 32767)
    bent = letter.shr(letter.mul(part, letter.sub(32768, part)), 15)
    slope = letter.sub(LOG_BEND[0], letter.shr(letter.mul(part, LOG_BEND[1]), 15))
    curve = letter.add(part, letter.shr(letter.mul(bent, slope), 15))
    return letter.add(power, letter.shr(letter.add(curve, 64), 7))


LOG_BEND = (13791, 5124)
"""log2(1 + f) is f + f (1 - f) (0.421 - 0.156 f), nearly; times 2**15."""


def exp2(x: Node, most: int) -> Node:
    """256 times two to the power of x / 256, x clipped to -2048..256 * most; within a hundredth or 1."""
    near = word.clip(x, -8 * OCTAVE, most * OCTAVE)
    part = letter.band(near, OCTAVE - 1)
    bent = letter.shr(letter.mul(part, letter.sub(OCTAVE, part)), 8)
    curve = letter.sub(letter.add(OCTAVE, part), letter.shr(letter.mul(bent, 88), 8))
    powers = letter.const([1 << k for k in range(most + 9)], "i32")
    power = letter.gather(powers, letter.add(letter.shr(near, 8), 8))
    return letter.shr(letter.mul(curve, power), 8)
