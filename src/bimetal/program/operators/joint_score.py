"""One score from what each signal does alone and what all do together, and each signal's share of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import elementary, letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft

LEAST = 1e-6
"""What a distance counts that is not larger than lately, so that there are shares when none is."""
NEAR = 5.0
"""At most so many times their mean distances go into it, so that what is unusual is hardly learned."""


@dataclass(frozen=True, slots=True)
class JointScore(Checked):
    """One score from what each signal does alone and what all do together, and each signal's share of it.

    Takes f32 (s,), the distance of each signal from its own habit, and f32 (k, s), the parts the signals
    have in k distances of all of them together. Each distance is about 1 when all is usual. Gives

        alone * mean over signals of log(1 + own) + log(1 + mean over k of the sums)

    and f32 (s,), the share of each signal: the shares are not negative and never more than 1 in all. The
    second term is shared out by the parts, each of the k distances counting by how much it exceeds its
    mean over some 1 / `pace` readings, as a part of that: one that has long been large says little of what
    is new. With one distance of its own for every signal and nothing together, leave the second signal out;
    the first term then counts in full.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Lundberg and Lee, A unified approach to interpreting model predictions, 2017",
    )

    alone: float = knob(0.5, low=0, high=10, what="how much what each signal does alone counts")
    pace: float = knob(1e-3, low=0, high=1, what="which part of a reading goes into the means of lately")

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Logarithms keep one wild signal from drowning the others."""
        match signals:
            case (Node(dtype="f32", shape=(_,)) as alone,):
                own = letter.mul(_log1p(alone), 1.0 / alone.size)
                return word.total(own), word.shares(own)
            case (
                Node(dtype="f32", shape=(_,)) as alone,
                Node(dtype="f32", shape=(_, s)) as together,
            ) if (s,) == alone.shape:
                own = letter.mul(_log1p(alone), self.alone / alone.size)
            case _:
                raise BadProgram(f"it takes f32 (s,) and f32 (k, s), not {list(signals)}", where="JointScore")
        fit = _log1p(word.clip(word.total(word.mean(together, axis=0)), 0.0, 1e16))
        parts = letter.add(own, letter.mul(word.shares(self._new(draft, together)), fit))
        return letter.add(word.total(own), fit), word.shares(parts)

    def _new(self, draft: Draft, parts: Node) -> Node:
        """Add up the parts (k, s), each distance weighed by its excess over what it has been lately."""
        clock = parts.clock or EVERY
        lately = draft.state("lately", np.ones(parts.shape[0]), low=1e-3, high=1e6, clock=clock)
        sums = word.clip(word.total(parts), 0.0, 1e16)
        near = letter.minimum(letter.mul(lately, NEAR), sums)
        after = letter.add(lately, letter.mul(letter.sub(near, lately), self.pace))
        draft.set(lately, word.clip(after, 1e-3, 1e6))
        excess = word.clip(letter.sub(letter.div(sums, lately), 1.0), LEAST, 1e6)
        known = word.clip(parts, 0.0, 1e16)
        weight = letter.div(excess, letter.maximum(letter.const(1e-12, "f32"), word.total(known)))
        return letter.reduce(letter.mul(known, letter.reshape(weight, (*weight.shape, 1))), axis=0)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The first signal is off by itself, and the second does not fit it; a large distance is no news."""
        own, together = np.array([[np.e**2 - 1, 0.0]]), np.array([[[0.0, np.e - 1]]])
        nothing, two = np.zeros((3, 2)), np.array([[[3.0, 0.0], [0.0, 1.0]]] * 2 + [[[3.0, 0.0], [0.0, 2.0]]])
        scores = np.log([3.0, 3.0, 3.5])
        return (
            Example(cls(1.0), (own, together), ([2.0], [[0.5, 0.5]]), within=1e-5),
            Example(cls(pace=1.0), (nothing, two), (scores, [[1, 0], [0.5, 0.5], [0, 1]]), within=1e-5),
            Example(cls(), (own,), ([1.0], [[1.0, 0.0]]), within=1e-5),
        )


def _log1p(x: Node) -> Node:
    return elementary.log(word.clip(letter.add(x, 1.0), 1.0, 1e16))
