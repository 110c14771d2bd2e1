"""Fourier words: the discrete Fourier transform of real numbers, spelled in letters.

Method: a real transform of n as a complex one of n/2 (Cooley, Lewis and Welch, "The fast Fourier
transform algorithm", 1970), done in stages that all have one shape (Pease, "An adaptation of the fast
Fourier transform for parallel processing", J. ACM 15, 1968), so that one piece of code serves them.
"""

from __future__ import annotations

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.letter import Value
from bimetal.program.node import Node

Complex = tuple[Node, Node]
LONGEST = 8192


def rfft(x: Node) -> Complex:
    """The discrete Fourier transform of real f32 along axis 0, from n values to n/2 + 1.

    X[k] = sum over t of x[t] * exp(-2 pi i k t / n), as real and imaginary parts (n/2 + 1, ...); n is a
    power of two within 4..8192. Errors stay below 1e-7 * log2(n) times the root mean square of all X.
    """
    first, (re, im), last = _parts(x)
    nothing = letter.mul(first, 0.0)
    return letter.concat([first, re, last]), letter.concat([nothing, im, nothing])


def power(x: Node) -> Node:
    """The mean square of each wave in x, (n/2 + 1, ...): all together add up to the mean square of x.

    |X[k]|**2 / n**2, twice that where k stands for n - k too.
    """
    first, (re, im), last = _parts(x)
    scale = x.shape[0] ** -2.0
    inner = letter.mul(letter.add(letter.mul(re, re), letter.mul(im, im)), 2 * scale)
    ends = [letter.mul(letter.mul(part, part), scale) for part in (first, last)]
    return letter.concat([ends[0], inner, ends[1]])


def _parts(x: Node) -> tuple[Node, Complex, Node]:
    """What rfft gives at 0, between, and at n/2; the first and the last are real."""
    n = x.shape[0] if x.shape else 0
    if x.dtype != "f32" or not 4 <= n <= LONGEST or n & (n - 1):
        raise BadProgram(
            f"{x!r} has no Fourier transform here: its first axis must be a power of two within 4..{LONGEST}"
        )
    wave = letter.const(np.cos(2 * np.pi * np.arange(-n // 4, n // 2) / n), "f32")
    return _split(_stages(_packed(x), wave), wave)


def _packed(x: Node) -> Complex:
    """Neighbours as complex numbers, ordered by their place's bits in reverse; the first stage done."""
    half = x.shape[0] // 2
    width = half.bit_length() - 1
    order = letter.const([int(f"{2 * k:0{width}b}"[::-1], 2) for k in range(half // 2)], "i32")
    pairs = letter.reshape(x, (half, 2, *x.shape[1:]))
    a, b = letter.gather(pairs, order), letter.gather(pairs, letter.add(order, half // 2))
    both = letter.add(a, b), letter.sub(a, b)
    shape = (half // 2, *x.shape[1:])
    re, im = (
        letter.concat([letter.reshape(letter.slice_(z, k, k + 1, axis=1), shape) for z in both])
        for k in range(2)
    )
    return re, im


def _stages(z: Complex, wave: Node) -> Complex:
    """The stages after the first: one for an odd number of them, and then two to a turn."""
    half = z[0].shape[0]
    left = half.bit_length() - 2
    mask = -(half // 4)
    if left % 2:
        z, mask = _stage(z, wave, mask), mask >> 1
    if left < 2:
        return z

    def body(held: tuple[Node, ...], _: Node) -> tuple[Node, ...]:
        re, im, mask = held
        re, im = _stage(_stage((re, im), wave, mask), wave, letter.shr(mask, 1))
        return re, im, letter.shr(mask, 2)

    re, im, _ = letter.scan(left // 2, (*z, letter.const(mask, "i32")), body)
    return re, im


def _stage(z: Complex, wave: Node, mask: Value) -> Complex:
    """Pairs of neighbours a, b become a + w b in the first half and a - w b in the second.

    w is exp(-2 pi i j / half) for pair j, without the bits of j that `mask` lacks.
    """
    half = z[0].shape[0]
    at = letter.mul(letter.band(letter.iota(half // 2), mask), 2)
    cosine, sine = letter.gather(wave, letter.add(at, half // 2)), letter.gather(wave, at)
    a, b = ([letter.slice_(part, k, half, 2) for part in z] for k in range(2))
    turned = _turned((b[0], b[1]), cosine, sine)
    re, im = (
        letter.concat([letter.add(one, other), letter.sub(one, other)])
        for one, other in zip(a, turned, strict=True)
    )
    return re, im


def _turned(z: Complex, cosine: Node, sine: Node) -> Complex:
    """Complex numbers times cosine - i sine; these have one axis, the numbers perhaps more."""
    c, s = (letter.reshape(w, (*w.shape, *(1 for _ in z[0].shape[1:]))) for w in (cosine, sine))
    return (
        letter.add(letter.mul(z[0], c), letter.mul(z[1], s)),
        letter.sub(letter.mul(z[1], c), letter.mul(z[0], s)),
    )


def _split(z: Complex, wave: Node) -> tuple[Node, Complex, Node]:
    """From the transform of pairs to that of the numbers themselves."""
    half = z[0].shape[0]
    (re, im), (re_back, im_back) = (
        [letter.slice_(part, *way) for part in z] for way in ((1, half, 1), (half - 1, 0, -1))
    )
    odd = letter.mul(letter.add(im, im_back), 0.5), letter.mul(letter.sub(re_back, re), 0.5)
    quarter = half // 2
    turned = _turned(odd, letter.slice_(wave, quarter + 1, quarter + half), letter.slice_(wave, 1, half))
    inner = (
        letter.add(letter.mul(letter.add(re, re_back), 0.5), turned[0]),
        letter.add(letter.mul(letter.sub(im, im_back), 0.5), turned[1]),
    )
    first = [letter.slice_(part, 0, 1) for part in z]
    return letter.add(*first), inner, letter.sub(*first)
