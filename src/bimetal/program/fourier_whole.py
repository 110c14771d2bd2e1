"""Fourier words in whole numbers: the power of a tapered window, where there is no float unit.

Method: a real transform of n as a complex one of n/2 (see fourier.py), whose even and odd frequencies are
one transform of n/4 each, computed one after the other in the same memory: of sums of what is n/2 apart,
and of differences at frequencies that lie half a step higher (Gentleman and Sande, "Fast Fourier transforms
for fun and profit", 1966). Stages of four take and give numbers in order (Stockham, "High-speed convolution
and correlation", 1966). Every stage divides by four, so that 16 bits hold whatever comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bimetal.program import letter
from bimetal.program.fourier import Complex, sum_and_off
from bimetal.program.node import Node

ONE = 14
"""Sines are times 2**14."""


def sums(
    window: Callable[[Node], Node], n: int, bands: int, part: Callable[[Node, Node], Sequence[Node]]
) -> tuple[Node, ...]:
    """Half of what `part(power, odd)` sums up in so many bands, of even and of odd frequencies of a window.

    `window(places)` gives i32 within -4096..4095 for places below n, 64 or 256. Power is (n/8, 2): row j has
    frequency 2 j + odd, and n/2 - 2 j - odd, each within 0..2**24: the square of the transform times
    2**(1 - 2 log2 n). The first even row has 0 and n/4: frequency 0, where a taper leaves what is no wave,
    and n/2 are left out.
    """
    wave = letter.const(np.round(2**ONE * np.sin(2 * np.pi * np.arange(n) / n)), "i32")

    def half(held: tuple[Node, ...], odd: Node) -> list[Node]:
        z: Complex = _folded(window, wave, odd)
        done, whole = 1, n // 4
        while done < whole:
            z = _of_four(z, wave, done, odd)
            done *= 4
        found = part(_powers(z, wave, odd), odd)
        return [letter.add(a, letter.shr(b, 1)) for a, b in zip(held, found, strict=True)]

    return letter.scan(2, [letter.const(0, "i32")] * bands, half)


def _folded(window: Callable[[Node], Node], wave: Node, odd: Node) -> Complex:
    """The window, risen and fallen (Hann), as sums or as differences of what is n/2 apart; halved.

    Which is taken from which depends on `odd`, and decides a sign that no power knows.
    """
    n = wave.shape[0]
    sign, shift = letter.sub(1, letter.shl(odd, 1)), letter.mul(odd, n // 2)
    places = letter.iota(n // 2)
    near, far = letter.add(places, shift), letter.add(places, letter.sub(n // 2, shift))
    here, there = window(near), letter.mul(window(far), sign)
    cosine = letter.mul(letter.slice_(wave, n // 4, 3 * n // 4), sign)
    half = letter.mul(letter.sub(here, there), cosine)
    both = letter.cast(letter.shr(letter.sub(letter.shl(letter.add(here, there), ONE), half), ONE + 2), "i16")
    re, im = (letter.slice_(both, k, n // 2, 2) for k in range(2))
    return re, im


def _of_four(z: Complex, wave: Node, done: int, odd: Node) -> Complex:
    """Numbers (done, 4, rest) become (4, done, rest): turned, then sums and differences, a quarter each."""
    n = z[0].shape[0]
    rest = n // 4 // done
    re, im = (letter.reshape(part, (done, 4, rest)) for part in z)
    a, b, c, d = (_turned((_hand(re, k), _hand(im, k)), wave, k * n // done // 2, odd) for k in range(4))
    near = [letter.add(part, 1 << (ONE + 1)) for part in a]
    up, off = sum_and_off((near[0], near[1]), c)
    side, turn = sum_and_off(b, d)
    res = [letter.add(up[0], side[0]), letter.add(off[0], turn[1])]
    res += [letter.sub(up[0], side[0]), letter.sub(off[0], turn[1])]
    ims = [letter.add(up[1], side[1]), letter.sub(off[1], turn[0])]
    ims += [letter.sub(up[1], side[1]), letter.add(off[1], turn[0])]
    return _joined(res), _joined(ims)


def _hand(part: Node, k: int) -> Node:
    hand = letter.reshape(letter.slice_(part, k, k + 1, axis=1), (part.shape[0], part.shape[2]))
    return letter.cast(hand, "i32")


def _turned(z: Complex, wave: Node, step: int, odd: Node) -> Complex:
    """Row p of complex numbers times exp(-2 pi i (2 p + odd) step / n) and 2**14."""
    if not step:
        return letter.shl(z[0], ONE), letter.shl(z[1], ONE)
    rows, quarter = z[0].shape[0], wave.shape[0] // 4
    angle = letter.mul(letter.add(letter.mul(letter.iota(rows), 2), odd), step)
    column = letter.reshape(angle, (rows, 1))
    return _product(z, letter.gather(wave, column), letter.gather(wave, letter.add(column, quarter)))


def _product(z: Complex, sine: Node, cosine: Node) -> Complex:
    """z times cosine - i sine."""
    return (
        letter.add(letter.mul(z[0], cosine), letter.mul(z[1], sine)),
        letter.sub(letter.mul(z[1], cosine), letter.mul(z[0], sine)),
    )


def _joined(parts: list[Node]) -> Node:
    held = [letter.cast(letter.shr(p, ONE + 2), "i16") for p in parts]
    return letter.concat([letter.reshape(p, (p.size,)) for p in held])


def _powers(z: Complex, wave: Node, odd: Node) -> Node:
    """From the transform of pairs to the powers of the numbers themselves, two frequencies at a time."""
    n = wave.shape[0]

    def pair(row: Node) -> Node:
        first = letter.lt(letter.add(row, odd), 1)
        place = letter.where(first, n // 8, row)
        k = letter.add(letter.add(place, odd), place)
        back = letter.band(letter.sub(letter.sub(n // 4, odd), place), n // 4 - 1)
        (re, im), (re_back, im_back) = (
            [letter.cast(letter.gather(p, at), "i32") for p in z] for at in (place, back)
        )
        apart = letter.add(im, im_back), letter.sub(re_back, re)
        turned = _product(apart, letter.gather(wave, k), letter.gather(wave, letter.add(k, n // 4)))
        off = tuple(letter.shr(letter.add(p, 1 << (ONE - 1)), ONE) for p in turned)
        low, high = sum_and_off((letter.add(re, re_back), letter.sub(im, im_back)), (off[0], off[1]))
        return letter.stack([letter.where(first, 0, _square(low)), _square(high)])

    return letter.each(n // 8, pair)


def _square(z: Complex) -> Node:
    """An eighth of the square of a size: no more than 14 bits are there, which the verifier cannot know."""
    re, im = (letter.shr(letter.shl(part, 18), 18) for part in z)
    return letter.shr(letter.add(letter.add(letter.mul(re, re), letter.mul(im, im)), 4), 3)
