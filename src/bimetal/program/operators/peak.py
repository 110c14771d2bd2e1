"""The largest deflection of a window: its height, its span, and how far it stands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Peak(Checked):
    """The largest deflection of a window: its height, its span, and how far it stands out.

    Takes f32 (n, ...) and gives three results (...) along the first axis: the greatest size, the
    difference between the greatest and the least value (peak to peak), and the greatest size over the
    root mean square (crest factor: 1 for a rectangle, 1.41 for a sine; 0 for a window of zeros). A gap
    makes all three gaps.
    """

    references: ClassVar[tuple[str, ...]] = ("ISO 13373-2:2016, vibration condition monitoring",)

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node, Node]:
        """One loop; the sum of squares is a gap wherever one is, which folds by min and max are not."""
        x = one(signals, self)
        first = letter.reshape(letter.slice_(x, 0, 1), x.shape[1:])

        def more(held: tuple[Node, ...], item: Node) -> tuple[Node, Node, Node]:
            squares = letter.add(held[2], letter.mul(item, item))
            return letter.maximum(held[0], item), letter.minimum(held[1], item), squares

        nothing = letter.const(np.zeros(first.shape), "f32")
        highest, lowest, squares = word.folded(x, (first, first, nothing), more)
        peak = letter.maximum(word.absolute(highest), word.absolute(lowest))
        rms = letter.maximum(letter.const(word.TINY, "f32"), letter.sqrt(letter.mul(squares, 1 / x.shape[0])))
        found = peak, letter.sub(highest, lowest), letter.div(peak, rms)
        first, second, third = (letter.where(word.known(squares), value, squares) for value in found)
        return first, second, third

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A rectangle, one deflection downwards, nothing, and a gap."""
        x = np.array([[2.0, -2, 2, -2], [0.0, 0, -4, 0], [0.0, 0, 0, 0], [1.0, np.nan, 3, 3]])
        return (
            Example(
                cls(),
                (x,),
                ([2, 4, 0, np.nan], [4, 4, 0, np.nan], [1, 2, 0, np.nan]),
            ),
        )
