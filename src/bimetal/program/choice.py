"""Choice as words: which of several scores is the best, and what share each has."""

from __future__ import annotations

from bimetal.program import elementary, letter, word
from bimetal.program.node import Node


def place_of_greatest(scores: Node) -> Node:
    """Where the greatest element of a vector is, the first of equals; -1 where one is NaN; i32."""
    count = scores.shape[0]
    top = letter.eq(scores, letter.reduce(scores, "max"))
    place = letter.reduce(letter.where(top, letter.iota(count), count - 1), "min")
    if scores.dtype != "f32":
        return place
    complete = letter.reduce(letter.cast(word.known(scores), "i32"), "min")
    return letter.where(letter.eq(complete, 1), place, -1)


def softmax(scores: Node) -> Node:
    """Positive shares that add up to 1: exp of each score over the sum of all; NaN where one is NaN.

    Each within 1e-6 of the true share for up to 32 scores. No score is so small that it vanishes: the
    exponent ends at -87.
    """
    powers = elementary.exp(letter.sub(scores, letter.reduce(scores, "max")))
    shares = letter.div(powers, word.total(powers))
    known = letter.reduce(letter.cast(word.known(scores), "i32"), "min")
    return letter.where(letter.eq(known, 1), shares, letter.sub(scores, scores))
