"""How often a window changes its sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class ZeroCross(Checked):
    """How often a window changes its sign.

    Takes f32 (n, ...) with n > 1 and gives a count (...), as f32, along the first axis. Zero counts as
    positive, and so does a gap. Take the mean away first.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Kedem, Spectral analysis and discrimination by zero-crossings, Proc. IEEE 74, 1986",
    )

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Count neighbours of which one is below zero and one is not."""
        x = one(signals, self)
        if not x.shape or x.shape[0] < 2:
            raise BadProgram(f"{x!r} has no neighbours", where="ZeroCross")
        first = _below(letter.reshape(letter.slice_(x, 0, 1), x.shape[1:]))

        def more(held: tuple[Node, ...], item: Node) -> tuple[Node, Node]:
            here = _below(item)
            step = letter.sub(here, held[0])
            return here, letter.add(held[1], letter.mul(step, step))

        _, count = word.folded(x, (first, letter.const(np.zeros(first.shape), "i32")), more)
        return letter.cast(count, "f32")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Three changes; none; zero is not below zero."""
        x = np.array([[1.0, -1, -2, 3, -1], [1.0, 2, 3, 4, 5], [0.0, -1, 0, 0, 0]])
        return (Example(cls(), (x,), ([3, 0, 2],)),)


def _below(x: Node) -> Node:
    return letter.cast(letter.lt(x, 0), "i32")
