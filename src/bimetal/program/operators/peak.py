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
        """The sum of squares is a gap wherever a gap is, which folds by min and max are not."""
        x = one(signals, self)
        power = word.mean(letter.mul(x, x), axis=0)
        highest, lowest = (letter.reduce(x, how, axis=0) for how in ("max", "min"))
        peak = letter.maximum(word.absolute(highest), word.absolute(lowest))
        rms = letter.maximum(letter.const(word.TINY, "f32"), letter.sqrt(power))
        found = peak, letter.sub(highest, lowest), letter.div(peak, rms)
        first, second, third = (letter.where(word.known(power), value, power) for value in found)
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
