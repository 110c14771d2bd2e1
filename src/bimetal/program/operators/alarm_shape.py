"""Of what an alarm is made: each signal's share, split by how the signal is off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example
from bimetal.program.program import Draft

PARTS = 4
"""Up, down, restless, and off only beside the others."""
BOUND = 1e4


@dataclass(frozen=True, slots=True)
class AlarmShape(Checked):
    """Of what an alarm is made: each signal's share, split by how the signal is off.

    Takes f32 (s,), the share of each signal in a score, and f32 (3, s), by how much its quick level, its
    slow level and its spread are off, in their own usual variation. Gives f32 (4, s), never negative, whose
    sum over the four is the share: a part each for levels that are up, levels that are down and restlessness,
    as the squares of these beside 1; the 1 is the part of a signal that is off in none of these ways and
    still has a share, because it does not fit the others.
    """

    references: ClassVar[tuple[str, ...]] = ("Swain and Ballard, Color indexing, IJCV 7, 1991",)

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Squares of what is up, down and restless, over their sum and one."""
        match signals:
            case (Node(dtype="f32", shape=(many,)) as share, Node(dtype="f32", shape=(3, other)) as off) if (
                many == other
            ):
                quick, slow, spread = (letter.gather(off, letter.const(k, "i32")) for k in range(3))
            case _:
                raise BadProgram(f"it takes f32 (s,) and f32 (3, s), not {list(signals)}", where="AlarmShape")
        ways = [word.clip(way, -BOUND, BOUND) for way in (quick, slow, spread)]
        squares = [letter.mul(way, way) for way in ways]
        rises = [letter.lt(letter.const(0.0, "f32"), way) for way in ways]
        more = [letter.where(rise, square, 0.0) for rise, square in zip(rises, squares, strict=True)]
        less = [letter.where(rise, 0.0, square) for rise, square in zip(rises, squares, strict=True)]
        up, down, restless = letter.add(*more[:2]), letter.add(*less[:2]), more[2]
        whole = letter.add(letter.add(letter.add(up, down), restless), 1.0)
        each = letter.div(share, whole)
        return letter.stack([*(letter.mul(part, each) for part in (up, down, restless)), each])

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A signal that has risen, and one that is off only beside it."""
        share = np.array([[0.5, 0.25]])
        off = np.array([[[1.0, 0.0], [np.sqrt(2.0), 0.0], [-3.0, 0.0]]])
        gives = [[[0.375, 0], [0, 0], [0, 0], [0.125, 0.25]]]
        return (Example(cls(), (share, off), (gives,), within=1e-6),)
