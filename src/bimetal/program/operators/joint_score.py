"""One score from what each signal does alone and what all do together, and each signal's share of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import elementary, letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class JointScore(Checked):
    """One score from what each signal does alone and what all do together, and each signal's share of it.

    Takes f32 (s,), the distance of each signal from its own habit, and f32 (k, s), the parts the signals
    have in k distances of all of them together. Each distance is about 1 when all is usual. Gives

        alone * mean over signals of log(1 + own) + log(1 + mean over k of the sums)

    and f32 (s,), the share of each signal: the shares are not negative and never more than 1 in all.
    With one distance of its own for every signal and nothing together, leave the second signal out; the
    first term then counts in full.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Lundberg and Lee, A unified approach to interpreting model predictions, 2017",
    )

    alone: float = knob(0.5, low=0, high=10, what="how much what each signal does alone counts")

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Logarithms keep one wild signal from drowning the others."""
        match signals:
            case (Node(dtype="f32", shape=(_,)) as alone, *rest) if (
                all(n.dtype == "f32" and n.shape[1:] == alone.shape for n in rest) and len(rest) < 2
            ):
                own = letter.mul(_log1p(alone), (self.alone if rest else 1.0) / alone.size)
            case _:
                raise BadProgram(f"it takes f32 (s,) and f32 (k, s), not {list(signals)}", where="JointScore")
        score = word.total(own)
        if not rest:
            return score, word.shares(own)
        together = word.mean(rest[0], axis=0)
        fit = _log1p(word.clip(word.total(together), 0.0, 1e16))
        parts = letter.add(own, letter.mul(word.shares(together), fit))
        return letter.add(score, fit), word.shares(parts)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The first signal is off by itself, and the second does not fit it."""
        own, together = np.array([[np.e**2 - 1, 0.0]]), np.array([[[0.0, np.e - 1]]])
        return (
            Example(cls(1.0), (own, together), ([2.0], [[0.5, 0.5]]), within=1e-5),
            Example(cls(), (own,), ([1.0], [[1.0, 0.0]]), within=1e-5),
        )


def _log1p(x: Node) -> Node:
    return elementary.log(word.clip(letter.add(x, 1.0), 1.0, 1e16))
