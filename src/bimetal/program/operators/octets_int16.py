"""Round i16 to u8 between a learned least and greatest value, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft

MOST_RATE = 2**14


@dataclass(frozen=True, slots=True)
class OctetsInt16(Checked):
    """Round i16 to u8 between a learned least and greatest value, in whole numbers.

    Takes i16 (..., d) for d pairs of `low` and `high` and gives u8, round((x - low) * rate / 2**shift) within
    0..255, halves upwards, with rate = round(255 * 2**shift / (high - low)), at most 2**14: the larger the
    shift, the closer to 255 at `high`. Trees and nets that are trained on these lose nothing where they run.
    Parameters: `<name>_low` and `<name>_rate`, i16 (d,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    low: tuple[int, ...] = (0,)
    high: tuple[int, ...] = (255,)
    shift: int = knob(11, low=1, high=20, what="by how many bits the product is shifted down")
    name: str = "octets"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Subtract, scale, shift: no product can overflow."""
        x = one(signals, self, "i16")
        low, high = np.asarray(self.low, np.int64), np.asarray(self.high, np.int64)
        if low.shape != high.shape or not (low < high).all():
            raise BadProgram("each element has a low and a higher high", where="OctetsInt16")
        span: NDArray[np.float64] = np.asarray(high - low, np.float64)
        rate = np.round(255.0 * 2.0**self.shift / span)
        if rate.min() < 1 or rate.max() > MOST_RATE:
            raise BadProgram(
                f"rates {rate.min():.0f}..{rate.max():.0f} leave 1..{MOST_RATE}",
                where="OctetsInt16",
                hint="Take another shift, or bring the ranges of elements closer to each other",
            )
        least = letter.cast(draft.param(f"{self.name}_low", low, "i16"), "i32")
        rates = letter.cast(draft.param(f"{self.name}_rate", rate, "i16", low=1, high=MOST_RATE), "i32")
        above = letter.maximum(letter.const(0, "i32"), letter.sub(letter.cast(x, "i32"), least))
        near = letter.add(letter.mul(above, rates), 1 << (self.shift - 1))
        return letter.cast(word.clip(letter.shr(near, self.shift), 0, 255), "u8")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two elements with ranges of their own; what lies outside stays at the end."""
        x = np.array([[-1000, 0], [0, 64], [1000, 128], [32767, -32768]], np.int16)
        return (Example(cls((-1000, 0), (1000, 128)), (x,), ([[0, 0], [127, 128], [255, 255], [255, 0]],)),)
