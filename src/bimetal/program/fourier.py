"""Fourier words: the discrete Fourier transform of real numbers, spelled in letters.

Method: a real transform of n as a complex one of n/2 (Cooley, Lewis and Welch, "The fast Fourier
transform algorithm", 1970), with four numbers to a butterfly, in stages that read neighbours and write
quarters (after Pease, "An adaptation of the fast Fourier transform for parallel processing", J. ACM 15,
1968): every index is affine, and memory is read in order.
"""

from __future__ import annotations

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
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
    wave = letter.const(np.cos(2 * np.pi * np.arange(-n // 4, 3 * n // 4) / n), "f32")
    return _split(_stages(_packed(x), wave), wave)


def _packed(x: Node) -> Node:
    """Neighbours as complex numbers (half, 2, ...), ordered by their places' bits in reverse."""
    half = x.shape[0] // 2
    width = half.bit_length() - 1
    order = letter.const([int(f"{k:0{width}b}"[::-1], 2) for k in range(half)], "i32")
    return letter.gather(letter.reshape(x, (half, 2, *x.shape[1:])), order)


def _stages(pairs: Node, wave: Node) -> Complex:
    """Stages of four, after one of two where the number of bits is odd; the first of all only adds."""
    half = pairs.shape[0]
    step = half // 4
    if half.bit_length() % 2 == 0:
        even, odd = (letter.slice_(pairs, k, half, 2) for k in range(2))
        pairs, step = letter.concat([letter.add(even, odd), letter.sub(even, odd)]), half // 8
    re, im = (
        letter.reshape(letter.slice_(pairs, k, k + 1, axis=1), (half, *pairs.shape[2:])) for k in range(2)
    )
    while step:
        (re, im), step = _of_four((re, im), wave, step), step // 4
    return re, im


def _of_four(z: Complex, wave: Node, step: int) -> Complex:
    """Fours a, b, c, d become a, w w b, w c, w w w d and then sums and differences, a quarter each.

    w is exp(-2 pi i e / half) with e the number of the four, less what is below `step`.
    """
    groups = z[0].shape[0] // 4 // step
    re, im = (_dealt(part, groups, 4) for part in z)
    hands = [_turned((re[k], im[k]), wave, 2 * times * step) for k, times in enumerate((0, 2, 1, 3))]
    (sum_ab, off_ab), (sum_cd, off_cd) = (sum_and_off(*hands[k : k + 2]) for k in (0, 2))
    re = [letter.add(sum_ab[0], sum_cd[0]), letter.add(off_ab[0], off_cd[1])]
    re += [letter.sub(sum_ab[0], sum_cd[0]), letter.sub(off_ab[0], off_cd[1])]
    im = [letter.add(sum_ab[1], sum_cd[1]), letter.sub(off_ab[1], off_cd[0])]
    im += [letter.sub(sum_ab[1], sum_cd[1]), letter.add(off_ab[1], off_cd[0])]
    return _joined(re), _joined(im)


def sum_and_off(a: Complex, b: Complex) -> tuple[Complex, Complex]:
    """Return the sum of two complex numbers and their difference."""
    return (letter.add(a[0], b[0]), letter.add(a[1], b[1])), (letter.sub(a[0], b[0]), letter.sub(a[1], b[1]))


def _dealt(part: Node, groups: int, hands: int) -> list[Node]:
    """Every `hands`-th number from the first, second ... on, in groups: shape (groups, step, ...)."""
    rest = part.shape[1:]
    step = part.shape[0] // hands // groups
    dealt = letter.reshape(part, (groups, step, hands, *rest))
    return [
        letter.reshape(letter.slice_(dealt, k, k + 1, axis=2), (groups, step, *rest)) for k in range(hands)
    ]


def _joined(parts: list[Node]) -> Node:
    """One after the other, groups and steps as one axis."""
    return letter.concat([letter.reshape(p, (p.shape[0] * p.shape[1], *p.shape[2:])) for p in parts])


def _turned(z: Complex, wave: Node, step: int, start: int = 0) -> Complex:
    """Group p of complex numbers times exp(-2 pi i (start + p step) / n)."""
    groups, quarter = z[0].shape[0], wave.shape[0] // 4
    if not start and not (step and groups > 1):
        return z
    sine, cosine = (
        letter.reshape(
            letter.slice_(wave, first, first + (groups - 1) * step + 1, step),
            (groups, *(1 for _ in z[0].shape[1:])),
        )
        for first in (start, quarter + start)
    )
    return (
        letter.add(letter.mul(z[0], cosine), letter.mul(z[1], sine)),
        letter.sub(letter.mul(z[1], cosine), letter.mul(z[0], sine)),
    )


def _split(z: Complex, wave: Node) -> tuple[Node, Complex, Node]:
    """From the transform of pairs to that of the numbers themselves."""
    half = z[0].shape[0]
    (re, im), (re_back, im_back) = (
        [letter.slice_(part, *way) for part in z] for way in ((1, half, 1), (half - 1, 0, -1))
    )
    odd = letter.mul(letter.add(im, im_back), 0.5), letter.mul(letter.sub(re_back, re), 0.5)
    turned = _turned(odd, wave, 1, start=1)
    inner = (
        letter.add(letter.mul(letter.add(re, re_back), 0.5), turned[0]),
        letter.add(letter.mul(letter.sub(im, im_back), 0.5), turned[1]),
    )
    first = [letter.slice_(part, 0, 1) for part in z]
    return letter.add(*first), inner, letter.sub(*first)
