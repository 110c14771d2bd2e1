"""Many decision trees over one vector: their votes counted, or their leaves' values added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft
from bimetal.program.tree import Tree, counted, most_worth, packed, summed, walk


@dataclass(frozen=True, slots=True)
class Forest(Checked):
    """Many decision trees over one vector: their votes counted, or their leaves' values added up.

    Takes a vector of u8 (features rounded to 8 bits or sorted into bins) or f32, whose thresholds are
    then f32; NaN is not greater than any threshold. A tree is `(feature, threshold, low, high)`: `low`
    where x[feature] <= threshold, else `high`; a whole number is a leaf (see program/tree.py).

    Without `values` a leaf is a class, and i32 (outputs,) are the votes. With `values`, rows of whole
    numbers (outputs,), a leaf of tree t is row `start[t] + leaf`, and i32 (outputs,) are the sums; where
    rows hold one number, tree t counts for output t modulo outputs. Parameters: `<name>_feature`,
    `<name>_threshold`, `<name>_link`, `<name>_root`, and with values `<name>_values`, `<name>_start`.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Breiman, Random forests, Machine Learning 45, 2001",
        "Friedman, Greedy function approximation: a gradient boosting machine, 2001",
    )

    trees: tuple[Tree, ...] = ((0, 0.0, 0, 1),)
    values: tuple[tuple[int, ...], ...] = ()
    start: tuple[int, ...] = ()
    outputs: int = knob(2, low=1, high=32767, what="how many classes or sums there are")
    name: str = "forest"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Walk down every tree, then count or add up; no sum can overflow."""
        if len(signals) != 1:
            raise BadProgram(f"it takes one vector, not {list(signals)}", where="Forest")
        count = len(self.trees)
        leaf = walk(draft, packed(self.trees), signals[0], self.name)
        if not self.values:
            return counted(leaf, self.outputs)
        rows, width = np.shape(self.values)
        if width not in (1, self.outputs) or len(self.start) != count or count % (self.outputs // width):
            raise BadProgram(
                f"values {[rows, width]} and {len(self.start)} starts do not fit {count} trees",
                where="Forest",
            )
        most = most_worth(count)
        table = draft.param(f"{self.name}_values", self.values, "i32", low=-most, high=most)
        start = draft.param(f"{self.name}_start", self.start, "i32", low=0, high=rows - 1)
        return summed(leaf, table, start, self.outputs)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Three votes; the same with floats and a gap; and two trees whose leaves are worth something."""
        trees: tuple[Tree, ...] = ((0, 10, 0, (1, 5, 1, 2)), (1, 5, 0, 1), (1, 200, (0, 10, 2, 1), 2))
        octets = np.array([[10, 9], [11, 5], [11, 255]], np.uint8)
        floats = np.array([[10.0, 9.0], [10.5, 5.0], [11.0, np.nan]])
        worth = cls(((0, 10, 0, 1), (1, 5, 1, 0)), ((100,), (-7,), (3,), (50,)), (0, 2), outputs=1)
        each = cls(((0, 10, 0, 1), (1, 5, 1, 0)), ((100,), (-7,), (3,), (50,)), (0, 2))
        return (
            Example(cls(trees, outputs=3), (octets,), ([[1, 1, 1], [1, 2, 0], [0, 1, 2]],)),
            Example(cls(trees, outputs=3), (floats,), ([[1, 1, 1], [1, 2, 0], [1, 2, 0]],)),
            Example(worth, (octets,), ([[103], [43], [-4]],)),
            Example(each, (octets,), ([[100, 3], [-7, 50], [-7, 3]],)),
        )
