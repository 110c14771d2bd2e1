"""Sort f32 into bins between learned edges, up to 256 for each element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft

MOST = 255


@dataclass(frozen=True, slots=True)
class Bins(Checked):
    """Sort f32 into bins between learned edges, up to 256 for each element.

    Takes a vector (n,) and gives u8 (k,), one for each row of ascending `edges`: how many of them are less
    than element `source` of the vector, so that x <= edges[j] exactly where the bin is at most j. NaN gives
    the row's `gap`. A row has up to 255 edges. Parameters: `<name>_edges` (all rows one after the other),
    `<name>_start` and `<name>_count` (k,), `<name>_gap` u8 (k,).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Ke and others, LightGBM: a highly efficient gradient boosting decision tree, 2017",
    )

    edges: tuple[tuple[float, ...], ...] = ((0.0,),)
    source: tuple[int, ...] = (0,)
    gap: tuple[int, ...] = (0,)
    name: str = "bins"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Binary search, all rows at once: each turn halves what is left."""
        vector = one(signals, self)
        counts = [len(row) for row in self.edges]
        if not len(self.edges) == len(self.source) == len(self.gap) or max(counts) > MOST:
            raise BadProgram(f"rows, sources and gaps must be equally many, rows up to {MOST}", where="Bins")
        flat = [e for row in self.edges for e in row] or [0.0]
        last = len(flat) - 1
        edges = draft.param(f"{self.name}_edges", flat)
        first = np.minimum(np.cumsum([0, *counts[:-1]]), last)
        start = draft.param(f"{self.name}_start", first, "i32", low=0, high=last)
        count = letter.cast(draft.param(f"{self.name}_count", counts, "u8"), "i32")
        gap = draft.param(f"{self.name}_gap", self.gap, "u8")
        x = letter.gather(vector, letter.const(self.source, "i32"))
        halves = max(1, max(counts).bit_length())

        def turn(carried: tuple[Node, ...], _: Node) -> tuple[Node, Node]:
            below, step = carried
            after = letter.add(below, step)
            inside = letter.le(after, count)
            at = letter.minimum(letter.const(last, "i32"), letter.add(start, letter.sub(after, 1)))
            more = letter.both(inside, letter.lt(letter.gather(edges, at), x))
            return letter.where(more, after, below), letter.shr(step, 1)

        nothing = letter.const(np.zeros(len(counts)), "i32")
        below, _ = letter.scan(halves, [nothing, letter.const(1 << (halves - 1), "i32")], turn)
        return letter.cast(letter.where(word.known(x), below, letter.cast(gap, "i32")), "u8")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """An edge itself lies below; a gap goes where it is told."""
        x = np.array([[0.0, 5.0], [1.0, 5.5], [2.5, np.nan], [-np.inf, np.inf]])
        made = cls(((1.0, 2.0, 3.0), (5.0,), (5.0,)), (0, 1, 1), (0, 0, 255))
        return (Example(made, (x,), ([[0, 0, 0], [0, 1, 1], [2, 0, 255], [0, 1, 1]],)),)
