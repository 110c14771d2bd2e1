"""Any function of one i8, looked up in a learned table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft

COUNT = 256
"""How many values an i8 has."""


@dataclass(frozen=True, slots=True)
class TableInt8(Checked):
    """Any function of one i8, looked up in a learned table.

    Takes i8 of any shape and gives i8 of that shape: the entry for -128 comes first, that for 127 last. What
    bends the layers of a net (tanh, the logistic function) costs a microcontroller no more than that.
    Parameter: `<name>_entries` i8 (256,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jacob and others, Quantization and training of neural networks, CVPR 2018",
    )

    entries: tuple[int, ...] = tuple(range(-128, 128))
    name: str = "table"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """One load for each element; no index can leave the table."""
        x = one(signals, self, "i8")
        if len(self.entries) != COUNT:
            raise BadProgram(f"a table has {COUNT} entries, not {len(self.entries)}", where="TableInt8")
        entries = draft.param(f"{self.name}_entries", self.entries, "i8")
        return letter.gather(entries, letter.add(letter.cast(x, "i32"), 128))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Sizes without signs; what a hundredth of the square is."""
        x = np.array([[-128, -3], [0, 127]], np.int8)
        size = cls(tuple(min(abs(k), 127) for k in range(-128, 128)))
        square = cls(tuple(min(k * k // 100, 127) for k in range(-128, 128)))
        return (
            Example(size, (x,), ([[127, 3], [0, 127]],)),
            Example(square, (x,), ([[127, 0], [0, 127]],)),
        )
