"""How a reading lies to the three before it: part of the quality gate's rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Jump:
    """How a reading lies to the three before it.

    `one`, `two`: the last two that were taken; `full`: there were three; `waits`: it jumped, and may be a
    spike or a step; `steps`: it is a step; `spiked`: it came back from a spike, of size `back` if one reading
    long; `before`: the level before the last step; `size`: how far
    this reading is from the middle one of three.
    """

    one: Node
    two: Node
    full: Node
    waits: Node
    steps: Node
    spiked: Node
    back: Node
    before: Node
    size: Node
    limit: Node

    @classmethod
    def of(cls, draft: Draft, value: Node, here: Node, limit: Node) -> Jump:
        """Compare a reading with the median of three, and keep them up."""
        many, clock = value.shape, value.clock or EVERY

        def kept(name: str) -> Node:
            return draft.state(name, np.zeros(many), low=-1e8, high=1e8, clock=clock)

        one, two, three, before = kept("one"), kept("two"), kept("three"), kept("before")
        taken, keep_taken = word.small(draft, "taken", many, 4, clock)
        wait, keep_wait = word.small(draft, "wait", many, 3, clock)
        full = letter.le(letter.const(3, "i32"), taken)
        usual = _middle(one, two, three)
        top = letter.maximum(one, letter.maximum(two, three))
        bottom = letter.minimum(one, letter.minimum(two, three))
        above, below = letter.sub(value, top), letter.sub(bottom, value)
        over = letter.both(letter.both(here, full), letter.lt(limit, letter.maximum(above, below)))
        more = letter.minimum(letter.const(3, "i32"), letter.add(wait, 1))
        waited = letter.where(over, more, letter.where(here, letter.const(0, "i32"), wait))
        steps = letter.both(over, letter.eq(waited, 3))
        keep_wait(letter.where(steps, letter.const(0, "i32"), waited))
        spiked = letter.both(letter.both(here, letter.invert(over)), letter.lt(letter.const(0, "i32"), wait))
        draft.set(before, letter.where(steps, usual, before))
        fits = letter.both(here, letter.invert(over))
        draft.set(one, letter.where(letter.either(steps, fits), value, one))
        draft.set(two, letter.where(steps, value, letter.where(fits, one, two)))
        draft.set(three, letter.where(steps, value, letter.where(fits, two, three)))
        keep_taken(letter.where(fits, letter.minimum(letter.const(4, "i32"), letter.add(taken, 1)), taken))
        back = letter.where(letter.eq(taken, 4), _returned(value, one, two, three), 0.0)
        return cls(
            one, two, full, letter.both(over, letter.invert(steps)), steps, spiked,
            letter.where(here, back, 0.0), letter.where(steps, usual, before),
            word.absolute(letter.sub(value, usual)), limit,
        )  # fmt: skip


def _returned(value: Node, one: Node, two: Node, three: Node) -> Node:
    """How far the reading before stood out on one side of the two before it and of this one."""
    up = letter.sub(one, letter.maximum(value, letter.maximum(two, three)))
    down = letter.sub(letter.minimum(value, letter.minimum(two, three)), one)
    return letter.maximum(letter.const(0.0, "f32"), letter.maximum(up, down))


def _middle(a: Node, b: Node, c: Node) -> Node:
    return letter.maximum(letter.minimum(a, b), letter.minimum(letter.maximum(a, b), c))
