"""Which known pattern an alarm is most like, and what is made of it: silence, or a sooner alarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft

UNDER = word.KEEP - 2.0**-10
"""A score that neither begins an alarm nor keeps one up."""
EMPTY = 2.0
"""The reach of a place that holds no pattern: nothing is so much alike."""
MOST_SCORE = 1e6
FORMED = 1.5
SLACK = 0.4
"""An alarm that has just begun has not its whole shape yet: below this score so much less must be alike for
every one that is lacking."""


@dataclass(frozen=True, slots=True)
class KnownPattern(Checked):
    """Which known pattern an alarm is most like, and what is made of it: silence, or a sooner alarm.

    Takes an f32 score () whose threshold is 1, and its shape, f32 of any shape, not negative and at most 1
    in all (see AlarmShape). A pattern is a shape; how alike two are is the sum of the smaller of their parts,
    0..1. Where the nearest pattern is alike by its reach or more, and the score is no higher than the pattern
    ever was, the score is kept under what begins or keeps up an alarm (see BudgetedAlarm) if the pattern's
    gain is 0, and multiplied by its gain otherwise. To keep it under, less will do while the score is small,
    for an alarm that has just begun has not its whole shape yet. Patterns are asked only where one could
    matter: a score of which not even the largest gain makes what keeps up an alarm stays as it is, and is
    like none.

    Gives the score; the place of the nearest pattern, i32, -1 where nothing is like any; and how alike it
    is, f32. Parameters: `<name>_shape` (patterns, ...), `<name>_reach`, `<name>_most` and `<name>_gain`
    (patterns,). A place that holds no pattern has a shape of zeros and a reach of 2.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Swain and Ballard, Color indexing, IJCV 7, 1991 (histogram intersection)",
        "Cover and Hart, Nearest neighbor pattern classification, 1967",
    )

    patterns: int = knob(8, low=1, high=1024, what="how many patterns there is room for")
    name: str = "known"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node, Node]:
        """Intersect with every pattern; the nearest one alone decides."""
        match signals:
            case (Node(dtype="f32", shape=()) as score, Node(dtype="f32", shape=(_, *_)) as shape):
                size, many = shape.size, self.patterns
            case _:
                raise BadProgram(
                    f"it takes f32 () and an f32 shape, not {list(signals)}", where="KnownPattern"
                )
        shapes = draft.param(f"{self.name}_shape", np.zeros((many, *shape.shape)), low=0, high=1)
        reach = draft.param(f"{self.name}_reach", np.full(many, EMPTY), low=0, high=EMPTY)
        most = draft.param(f"{self.name}_most", np.zeros(many), low=0, high=MOST_SCORE)
        gain = draft.param(f"{self.name}_gain", np.zeros(many), low=0, high=16)
        flat = letter.reshape(shape, (size,))
        most_times = letter.maximum(letter.const(1.0, "f32"), letter.reduce(gain, "max"))
        asked = letter.le(letter.const(UNDER, "f32"), letter.mul(_bounded(score), most_times))
        same = letter.when(asked, word.total(letter.minimum(letter.reshape(shapes, (many, size)), flat)))
        alike = letter.reduce(same, "max")
        last = many - 1
        place = letter.reduce(letter.where(letter.eq(same, alike), letter.iota(many), last), "min")
        some = letter.lt(letter.const(0.0, "f32"), alike)
        within = letter.le(score, letter.gather(most, place))
        times = letter.gather(gain, place)
        quiets = letter.lt(times, 2.0**-10)
        young = letter.where(quiets, word.clip(letter.sub(FORMED, score), 0.0, FORMED - 1), 0.0)
        enough = letter.le(letter.gather(reach, place), letter.add(alike, letter.mul(young, SLACK)))
        louder = letter.mul(_bounded(score), times)
        kept = letter.minimum(letter.const(UNDER, "f32"), score)
        near = letter.both(letter.both(some, within), enough)
        judged = letter.where(near, letter.where(quiets, kept, louder), score)
        return judged, letter.where(some, place, -1), alike

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Nothing is known yet: every score stays as it is."""
        score, shape = np.array([0.5, 3.0]), np.array([[0.5, 0.5], [1.0, 0.0]])
        return (Example(cls(2), (score, shape), ([0.5, 3.0], [-1, -1], [0.0, 0.0])),)


def _bounded(score: Node) -> Node:
    return word.clip(score, -MOST_SCORE, MOST_SCORE)
