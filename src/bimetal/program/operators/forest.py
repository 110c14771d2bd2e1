"""Many decision trees over one vector: their votes counted, or their leaves' values added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program.grove import LINKS, fall, form_of, worth_of
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft
from bimetal.program.tree import Tree, counted


@dataclass(frozen=True, slots=True)
class Forest(Checked):
    """Many decision trees over one vector: their votes counted, or their leaves' values added up.

    Takes a vector of u8 (features rounded to 8 bits or sorted into bins) or f32, whose thresholds are
    then f32; NaN is not greater than any threshold. A tree is `(feature, threshold, low, high)`: `low`
    where x[feature] <= threshold, else `high`; a whole number is a leaf (see program/tree.py).

    Without `values` a leaf is a class, and i32 (outputs,) are the votes. With `values`, rows of whole
    numbers (outputs,), a leaf of tree t is row `start[t] + leaf`, and i32 (outputs,) are the sums; where
    rows hold one number, tree t counts for output t modulo outputs. `form` says how trees lie in memory,
    and with it the names of the parameters: see program/grove.py.
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
    form: str = LINKS

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Walk down every tree, then count or add up; no sum can overflow."""
        if len(signals) != 1:
            raise BadProgram(f"it takes one vector, not {list(signals)}", where="Forest")
        form, count = form_of(self.form), len(self.trees)
        if not self.values:
            few = self.outputs if form.levels else 0
            return counted(fall(draft, self.trees, signals[0], self.name, form, few), self.outputs)
        rows, width = np.shape(self.values)
        if width not in (1, self.outputs) or len(self.start) != count or count % (self.outputs // width):
            raise BadProgram(
                f"values {[rows, width]} and {len(self.start)} starts do not fit {count} trees",
                where="Forest",
            )
        worth = np.asarray(self.values)
        return worth_of(draft, self.trees, signals[0], self.name, form, (worth, self.start), self.outputs)

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
