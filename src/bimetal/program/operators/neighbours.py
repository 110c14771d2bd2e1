"""Which classes the nearest of the remembered vectors have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import choice, letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft

FARTHEST = 3.0e38


@dataclass(frozen=True, slots=True)
class Neighbours(Checked):
    """Which classes the nearest of the remembered vectors have.

    Takes an f32 vector (columns,) and gives i32 (classes,): how many of the `count` nearest vectors are of
    each class, by Euclidean distance, the first of equals before others; a gap counts as farthest from
    all. Parameters: `<name>_points` (points, columns) and `<name>_classes` i16 (points,).
    """

    references: ClassVar[tuple[str, ...]] = ("Cover and Hart, Nearest neighbor pattern classification, 1967",)

    points: tuple[tuple[float, ...], ...] = ((0.0,),)
    classes: tuple[int, ...] = (0,)
    outputs: int = knob(2, low=1, high=32767, what="how many classes there are")
    count: int = knob(1, low=1, high=1024, what="how many neighbours are asked")
    name: str = "neighbours"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Take the nearest out, count its class, and again."""
        many = len(self.points)
        if self.count > many or len(self.classes) != many:
            raise BadProgram(f"{self.count} neighbours cannot be had of {many} points", where="Neighbours")
        points = draft.param(f"{self.name}_points", self.points)
        classes = draft.param(f"{self.name}_classes", self.classes, "i16", low=0, high=self.outputs - 1)
        off = letter.sub(one(signals, self), points)
        far = word.total(letter.mul(off, off))
        far = letter.minimum(letter.const(FARTHEST, "f32"), word.otherwise(far, FARTHEST))

        def turn(carried: tuple[Node, ...], _: Node) -> tuple[Node, Node]:
            votes, left = carried
            place = letter.maximum(letter.const(0, "i32"), choice.place_of_greatest(letter.neg(left)))
            mine = letter.eq(letter.cast(letter.gather(classes, place), "i32"), letter.iota(self.outputs))
            asked = letter.eq(letter.iota(many), place)
            more = letter.minimum(
                letter.const(self.count, "i32"), letter.add(votes, letter.cast(mine, "i32"))
            )
            return more, letter.where(asked, 3.4e38, left)

        votes, _ = letter.scan(self.count, [letter.const(np.zeros(self.outputs), "i32"), far], turn)
        return votes

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Three neighbours of four."""
        made = cls(((0.0,), (1.0,), (2.0,), (9.0,)), (0, 1, 1, 0), count=3)
        return (Example(made, (np.array([[0.0], [8.0]]),), ([[1, 2], [1, 2]],)),)
