"""How badly a vector was rebuilt from a few numbers, and by which parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class ReconstructionError(Checked):
    """How badly a vector was rebuilt from a few numbers, and by which parts.

    Takes f32 (d,) as it is and (d,) as it was rebuilt (by an autoencoder, by principal components).
    Gives the mean of the squared differences, and what share of it each element has.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jackson and Mudholkar, Control procedures for residuals, Technometrics 21, 1979",
    )

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Squares, their mean, their shares."""
        match signals:
            case (Node(dtype="f32") as x, Node(dtype="f32") as again) if (
                len(x.shape) == 1 and x.shape == again.shape
            ):
                off = letter.sub(x, again)
            case _:
                raise BadProgram(
                    f"it takes two f32 vectors of one length, not {list(signals)}",
                    where="ReconstructionError",
                )
        squares = letter.mul(off, off)
        return word.mean(squares), word.shares(squares)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One element is off by one, one by two."""
        x, again = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[1.0, 3.0, 1.0, 4.0]])
        return (Example(cls(), (x, again), ([1.25], [[0, 0.2, 0.8, 0]]), within=1e-5),)
