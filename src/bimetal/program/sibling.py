"""How a signal lies to its sibling, a second sensor of the same thing: part of the quality gate's rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.program import Draft

MOST = 255
"""So many readings are counted: more than the longest average needs to settle."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """Which signal goes along with each, and how closely; a signal that has none is its own."""

    draft: Draft
    which: Node
    follows: Node
    alone: Node

    @classmethod
    def of(cls, draft: Draft, name: str, signals: int) -> Sibling:
        """Declare the parameters: `<name>_sibling` and `<name>_follows`, 0 for a signal without one."""
        follows = draft.param(f"{name}_follows", np.zeros(signals), low=-100, high=100)
        which = draft.param(f"{name}_sibling", np.arange(signals), "i32", low=0, high=signals - 1)
        return cls(draft, which, follows, letter.eq(follows, 0.0))

    def shares(self, what: Node) -> Node:
        """Say of each signal whether its sibling does this too; of one that has none, no."""
        return letter.both(letter.invert(self.alone), letter.gather(what, self.which))

    def compared(self, value: Node, before: Node, usable: Node) -> tuple[Node, Node, Node]:
        """Return what was last usable of each signal, what its sibling leaves of it, and whether that counts.

        A sibling that says the same again is no witness: it may be stuck.
        """
        clock = value.clock or EVERY
        held = self.draft.state("held", np.zeros(value.shape), low=-1e8, high=1e8, clock=clock)
        now = letter.where(usable, value, held)
        self.draft.set(held, now)
        witness = letter.both(usable, letter.invert(letter.eq(value, before)))
        both = letter.both(usable, letter.either(self.alone, letter.gather(witness, self.which)))
        beside = letter.gather(now, self.which)
        return now, word.clip(letter.sub(now, letter.mul(self.follows, beside)), -1e8, 1e8), both

    def guilty(self, now: Node, usable: Node, seen: Node) -> Node:
        """Say of each signal whether it, not its sibling, has left its own past."""
        fast = average(self.draft, now, usable, seen, 8, "own_fast")
        slow = average(self.draft, now, usable, seen, 256, "own_slow")
        left = word.absolute(letter.sub(fast, slow))
        return letter.both(letter.invert(self.alone), letter.le(letter.gather(left, self.which), left))


def average(draft: Draft, x: Node, when: Node, seen: Node, span: int, name: str) -> Node:
    """The exponential average over a span, the plain mean until there were enough."""
    before = draft.state(name, np.zeros(x.shape), low=-1e8, high=1e8, clock=x.clock or EVERY)
    count = letter.maximum(letter.const(1.0, "f32"), letter.cast(seen, "f32"))
    weight = letter.maximum(letter.const(2 / (span + 1), "f32"), letter.div(letter.const(1.0, "f32"), count))
    after = letter.where(when, letter.add(before, letter.mul(weight, letter.sub(x, before))), before)
    held = word.clip(after, -1e8, 1e8)
    draft.set(before, held)
    return held
