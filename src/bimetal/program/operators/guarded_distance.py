"""How far groups of features lie from their learned habit, and by which; the habit follows, guardedly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft

FARTHEST = 1e4
"""The largest size of a feature and of its drift."""
GUARD = 3.0
"""Up to so many times the mean distance is learned in full."""
NEAR = 5.0
"""At most so many times their mean do distances go into it."""


@dataclass(frozen=True, slots=True)
class GuardedDistance(Checked):
    """How far groups of features lie from their learned habit, and by which; the habit follows, guardedly.

    Takes f32 (g, d) features of g groups, b1 (g, d), which of them can be used, or b1 (g,), which groups,
    and b1 (), whether the habit may follow now. With x = feature - centre - drift, 0 where it cannot be
    used, and y = W x:

        distance = gain * sum(y_k^2 / r_k)        part_i = gain * x_i (W' (y / r))_i

    The parts add up to the distance: the exact Shapley values against the habit. Where features cannot
    be used, the distance is that of the others alone (exactly so for one such feature while r = 1), and
    the parts are scaled down to it.
    W is learned: the whitened directions of the covariance. What adapts is the drift of every feature
    and the variance r of every direction, at `pace` times a guard that falls below 1 as soon as the
    distance is more than `guard` times its running mean, so that what is unusual is hardly learned.
    Guarded like this, the mean of y_k^2 falls short of the variance that was learned; so much is added
    to it, lest healthy readings shrink r, and with it what counts as usual. Each of the two takes a number
    of state for every feature, and can be done without: then drift is 0, or r is 1.

    Gives f32 (g,) distances and f32 (g, d) parts. Parameters: `<name>_centre` (g, d), `<name>_whiten`
    (g, d, d), `<name>_gain` (g,); where anything adapts `<name>_pace` (), where variances do `<name>_short`
    (g, d), by how much the guarded mean of y_k^2 falls short; and, where single features may be unusable,
    `<name>_precision` (g, d), the diagonal of W'W.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Mahalanobis, On the generalized distance in statistics, 1936",
        "Lowry and others, A multivariate exponentially weighted moving average control chart, 1992",
        "Lundberg and Lee, A unified approach to interpreting model predictions, 2017",
    )

    groups: int = knob(1, low=1, high=65536, what="how many groups there are")
    features: int = knob(1, low=1, high=4096, what="how many features a group has")
    guard: float = knob(GUARD, low=1, high=1e6, what="how many times the mean distance is learned in full")
    least: float = knob(0.25, low=1e-6, high=1, what="how far the variance of a direction may shrink")
    drifts: bool = knob(True, low=0, high=1, what="whether the middle of every feature adapts")
    varies: bool = knob(True, low=0, high=1, what="whether the variance of every direction adapts")
    name: str = "distance"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Whiten, weigh, add up; then let the habit follow."""
        x, usable, follow = self._signals(signals)
        g, d = self.groups, self.features
        clock = x.clock or EVERY
        centre = draft.param(f"{self.name}_centre", np.zeros((g, d)), low=-FARTHEST, high=FARTHEST)
        whiten = draft.param(f"{self.name}_whiten", np.tile(np.eye(d), (g, 1, 1)), low=-100, high=100)
        gain = draft.param(f"{self.name}_gain", np.full(g, 1 / d), low=0, high=1e6)
        each = usable if usable.shape == (g, d) else letter.reshape(usable, (g, 1))
        off, drift = letter.sub(x, centre), None
        if self.drifts:
            drift = draft.state("drift", np.zeros((g, d)), low=-FARTHEST, high=FARTHEST, clock=clock)
            off = letter.sub(off, drift)
        off = letter.where(each, word.clip(off, -3 * FARTHEST, 3 * FARTHEST), 0.0)
        along = letter.reduce(letter.mul(whiten, letter.reshape(off, (g, 1, d))))
        weighed, ratio = along, None
        if self.varies:
            ratio = draft.state("ratio", np.ones((g, d)), low=self.least, high=1e6, clock=clock)
            weighed = letter.div(along, ratio)
        whole = word.clip(word.total(letter.mul(along, weighed)), 0.0, FARTHEST**4)
        back = letter.reduce(letter.mul(whiten, letter.reshape(weighed, (g, d, 1))), axis=1)
        kept, sound = letter.const(np.ones(g), "f32"), usable
        if usable.shape == (g, d):
            kept = self._kept(draft, back, whole, usable)
            sound = letter.eq(letter.reduce(letter.cast(usable, "i32"), "min"), 1)
        distance = letter.mul(letter.mul(whole, kept), gain)
        parts = letter.mul(letter.mul(off, back), letter.reshape(letter.mul(kept, gain), (g, 1)))

        if drift is not None or ratio is not None:
            step = letter.reshape(self._step(draft, distance, follow), (g, 1))
            if drift is not None:
                moved = word.clip(letter.add(drift, letter.mul(step, off)), -FARTHEST, FARTHEST)
                draft.set(drift, moved)
            if ratio is not None:
                self._vary(draft, ratio, along, step, letter.reshape(sound, (g, 1)))
        return distance, parts

    def _vary(self, draft: Draft, ratio: Node, along: Node, step: Node, sound: Node) -> None:
        """Let the variance of every direction follow what is seen along it."""
        short = draft.param(f"{self.name}_short", np.zeros(ratio.shape), low=0, high=FARTHEST)
        variance = letter.add(letter.mul(along, along), short)
        spread = letter.add(ratio, letter.mul(step, letter.sub(variance, ratio)))
        draft.set(ratio, letter.where(sound, word.clip(spread, self.least, 1e6), ratio))

    def _kept(self, draft: Draft, back: Node, whole: Node, usable: Node) -> Node:
        """What part of each distance is left when features that cannot be used are taken out."""
        precision = draft.param(
            f"{self.name}_precision", np.ones((self.groups, self.features)), low=1e-6, high=1e9
        )
        lost = letter.where(usable, 0.0, letter.div(letter.mul(back, back), precision))
        known = word.clip(letter.sub(whole, word.total(lost)), 0.0, FARTHEST**4)
        return letter.div(known, letter.maximum(letter.const(word.TINY, "f32"), whole))

    def _step(self, draft: Draft, distance: Node, follow: Node) -> Node:
        """How far each group's habit moves at this reading."""
        clock = distance.clock or EVERY
        pace = draft.param(f"{self.name}_pace", 1e-3, low=0, high=1)
        mean = draft.state("mean_distance", np.ones(self.groups), low=1e-3, high=1e6, clock=clock)
        limit = letter.mul(mean, self.guard)
        guard = letter.where(
            letter.le(distance, limit),
            1.0,
            letter.div(limit, letter.maximum(letter.const(1e-6, "f32"), distance)),
        )
        near = letter.minimum(letter.mul(mean, NEAR), distance)
        after = letter.add(mean, letter.mul(pace, letter.sub(near, mean)))
        draft.set(mean, letter.where(follow, word.clip(after, 1e-3, 1e6), mean))
        return letter.where(follow, letter.mul(pace, guard), 0.0)

    def _signals(self, signals: tuple[Node, ...]) -> tuple[Node, Node, Node]:
        shape = (self.groups, self.features)
        match signals:
            case (
                Node(dtype="f32") as x,
                Node(dtype="b1") as usable,
                Node(dtype="b1", shape=()) as follow,
            ) if x.shape == shape and usable.shape in (shape, shape[:1]):
                return x, usable, follow
            case _:
                raise BadProgram(
                    f"it takes f32{list(shape)}, b1 of that shape or [{self.groups}], and one b1, "
                    f"not {list(signals)}",
                    where="GuardedDistance",
                )

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Two plain features while the habit stands still; the second cannot be used at the end.

        Once more where nothing can adapt.
        """
        x = np.array([[[1.0, 0.0]], [[1.0, 2.0]], [[1.0, 9.0]]])
        usable = np.array([[[True, True]], [[True, True]], [[True, False]]])
        follow = np.array([False, False, False])
        distances, parts = [[0.5], [2.5], [0.5]], [[[0.5, 0]], [[0.5, 2]], [[0.5, 0]]]
        groups = np.array([[True], [True], [False]])
        alone = ([[0.5], [2.5], [0.0]], [[[0.5, 0]], [[0.5, 2]], [[0, 0]]])
        return (
            Example(cls(1, 2), (x, usable, follow), (distances, parts)),
            Example(cls(1, 2), (x, groups, follow), alone),
            Example(cls(1, 2, drifts=False, varies=False), (x, usable, follow), (distances, parts)),
        )
