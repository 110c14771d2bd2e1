"""How soon random splits set a vector apart from all others: the sooner, the stranger it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import elementary, letter
from bimetal.program.grove import LINKS, form_of, worth_of
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft
from bimetal.program.tree import Tree, most_worth


@dataclass(frozen=True, slots=True)
class IsolationForest(Checked):
    """How soon random splits set a vector apart from all others: the sooner, the stranger it is.

    Takes a vector of u8 or f32 (see forest) and gives the f32 score 2 ** -(mean way / usual way), 0..1:
    about 0.5 for what is usual, near 1 for what is set apart at once. A leaf of tree t is worth
    `ways[start[t] + leaf]`: the splits before it, plus the mean way through what it held in training.
    Ways are kept as whole numbers of 2**-shift, and added up exactly. Parameters: those of a forest with
    values (see program/grove.py for its `form`), and `<name>_rate`, 1 / (trees * usual way * 2**shift).
    """

    references: ClassVar[tuple[str, ...]] = ("Liu, Ting and Zhou, Isolation forest, ICDM 2008",)

    trees: tuple[Tree, ...] = ((0, 0.0, 0, 1),)
    ways: tuple[float, ...] = (1.0, 1.0)
    start: tuple[int, ...] = (0,)
    usual: float = knob(1.0, low=1e-6, high=1e6, what="the mean way in a tree over as many rows as each saw")
    shift: int = knob(16, low=0, high=24, what="how many binary digits of a way are kept behind the point")
    name: str = "isolation"
    form: str = LINKS

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Walk, add the ways up, and take the power; no sum can overflow."""
        count, rows = len(self.trees), len(self.ways)
        most = most_worth(count)
        ways = np.round(np.asarray(self.ways) * 2.0**self.shift)
        if len(signals) != 1 or len(self.start) != count or not (ways.min() >= 0 and ways.max() <= most):
            raise BadProgram(
                f"{rows} ways do not fit {count} trees and {self.shift} bits", where="IsolationForest"
            )
        form, worth = form_of(self.form), (ways[:, None], self.start)
        sums = worth_of(draft, self.trees, signals[0], self.name, form, worth, 1, least=0)
        rate = draft.param(f"{self.name}_rate", 1 / (count * self.usual * 2.0**self.shift), low=0, high=1)
        way = letter.cast(letter.reshape(sums, ()), "f32")
        return elementary.exp(letter.mul(letter.mul(way, rate), -elementary.LN2))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A value beyond 10 is set apart by the first split of both trees."""
        trees: tuple[Tree, ...] = ((0, 10, (0, 5, 0, 1), 2), (0, 10, 0, 1))
        made = cls(trees, (2.0, 2.0, 1.0, 3.0, 1.0), (0, 3), usual=2.0)
        return (Example(made, (np.array([[20.0], [1.0]]),), ([2**-0.5, 2**-1.25],), within=3e-7),)
