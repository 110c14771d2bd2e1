"""Elementary functions of f32 as words: the same bits everywhere, with no mathematics library.

Method: reduction to a small interval by the bits of the exponent, then a short series (Muller,
Elementary Functions, 2016). The errors named were measured against double precision over the whole
range. NaN counts as the lower end of a function's range of arguments, for clipping makes it that.
"""

from __future__ import annotations

import math

import numpy as np

from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.word import clip, polynomial

LEAST, GREATEST = 2.0**-126, float(np.finfo(np.float32).max)
LN2 = math.log(2)
LN2_HIGH = float(np.float32(LN2 - LN2 % 2.0**-12))
"""A multiple of this with up to eight bits is exact in f32."""


def log2(x: Node) -> Node:
    """The binary logarithm of a positive number; -126 for 2**-126, and for less, zero or NaN.

    Within 1.5e-7 of the true value, relatively, and within 1.3e-7 where that is below 1.
    """
    exponent, fraction = _split(x)
    s = letter.div(letter.sub(fraction, 1.0), letter.add(fraction, 1.0))
    odd = polynomial(letter.mul(s, s), tuple(2 / LN2 / k for k in (1, 3, 5, 7, 9)))
    return letter.add(letter.cast(exponent, "f32"), letter.mul(s, odd))


def log(x: Node) -> Node:
    """The natural logarithm of a positive number; about -87.3 for less than 2**-126, zero or NaN.

    Within 2e-7 of the true value, relatively, and within 1.3e-7 where that is below 1.
    """
    return letter.mul(log2(x), LN2)


def exp(x: Node) -> Node:
    """e to the power x, clipped to -87..88; within 2e-7 of the true value, relatively."""
    near = clip(x, -87.0, 88.0)
    shifted = letter.cast(letter.add(letter.mul(near, 1 / LN2), 128.5), "i32")
    steps = letter.cast(letter.sub(shifted, 128), "f32")
    rest = letter.sub(letter.sub(near, letter.mul(steps, LN2_HIGH)), letter.mul(steps, LN2 - LN2_HIGH))
    proven = clip(rest, -0.36, 0.36)  # it is there already; the verifier only sees it so
    series = polynomial(proven, tuple(1 / math.factorial(k) for k in range(8)))
    return letter.mul(series, letter.bits(letter.shl(letter.sub(shifted, 1), 23)))


def sigmoid(x: Node) -> Node:
    """1 / (1 + exp(-x)); within 1.5e-7 of the true value."""
    return letter.div(letter.const(1.0, "f32"), letter.add(exp(letter.neg(x)), 1.0))


def tanh(x: Node) -> Node:
    """The hyperbolic tangent; within 2e-7 of the true value."""
    twice = exp(letter.mul(clip(x, -20.0, 20.0), 2.0))
    return letter.sub(1.0, letter.div(letter.const(2.0, "f32"), letter.add(twice, 1.0)))


def _split(x: Node) -> tuple[Node, Node]:
    """Return whole e and f with x = f * 2**e and f between the square roots of 1/2 and 2."""
    raw = letter.bits(clip(x, LEAST, GREATEST))
    above = letter.lt(letter.const(0x3504F3, "i32"), letter.band(raw, 0x7FFFFF))
    fraction = letter.bits(letter.bor(letter.band(raw, 0x7FFFFF), 0x3F800000))
    exponent = letter.add(letter.sub(letter.shr(raw, 23), 127), letter.cast(above, "i32"))
    return exponent, letter.where(above, letter.mul(fraction, 0.5), fraction)
