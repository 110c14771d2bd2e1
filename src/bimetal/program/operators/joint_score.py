"""One score from what each signal does alone and what all do together, and each signal's share of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import elementary, letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class JointScore(Checked):
    """One score from what each signal does alone and what all do together, and each signal's share of it.

    Takes f32 (s,), the distance of each signal from its own habit, and f32 (k, s), the parts the signals
    have in k distances of all of them together. Each distance is about 1 when all is usual. Gives

        mean over signals of log(1 + own) + log(1 + mean over k of the sums)

    and f32 (s,), the share of each signal: the shares are not negative and never more than 1 in all.
    With one distance of its own for every signal and nothing together, leave the second signal out.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Lundberg and Lee, A unified approach to interpreting model predictions, 2017",
    )

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Logarithms keep one wild signal from drowning the others."""
        if not signals or any(n.dtype != "f32" or n.shape[-1:] != signals[0].shape for n in signals):
            raise BadProgram(f"it takes f32 (s,) and f32 (k, s), not {list(signals)}", where="JointScore")
        own = letter.mul(_log1p(signals[0]), 1 / signals[0].size)
        score = word.total(own)
        if len(signals) == 1:
            return score, word.shares(own)
        together = word.mean(signals[1], axis=0)
        fit = _log1p(word.clip(word.total(together), 0.0, 1e16))
        parts = letter.add(own, letter.mul(word.shares(together), fit))
        return letter.add(score, fit), word.shares(parts)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The first signal is off by itself, and the second does not fit it."""
        own, together = np.array([[np.e**2 - 1, 0.0]]), np.array([[[0.0, np.e - 1]]])
        return (
            Example(cls(), (own, together), ([2.0], [[0.5, 0.5]]), within=1e-5),
            Example(cls(), (own,), ([1.0], [[1.0, 0.0]]), within=1e-5),
        )


def _log1p(x: Node) -> Node:
    return elementary.log(word.clip(letter.add(x, 1.0), 1.0, 1e16))
