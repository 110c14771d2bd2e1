"""A quantile of all readings so far, from five numbers and no window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft

LARGEST = 1e30
MOST = 2.0**23
"""Places are whole numbers in f32; at this many they are halved."""


@dataclass(frozen=True, slots=True)
class P2Quantile(Checked):
    """A quantile of all readings so far, from five numbers and no window.

    Takes f32 of any shape, element by element; passes over gaps and sizes above 1e30. For five readings
    it is exact: the reading nearest to the quantile's place. From then on it is an estimate, moved at
    each reading along a parabola through its neighbours. 0 before the first reading. After 2**23
    readings all so far count as half as many.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Jain and Chlamtac, The P2 algorithm for dynamic calculation of quantiles, Comm. ACM 28, 1985",
    )

    quantile: float = knob(0.5, low=0.001, high=0.999, what="which quantile: 0.5 is the median")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Five markers: their heights and their places among all readings, counted from 1."""
        x = one(signals, self)
        clock = x.clock or EVERY
        usable = letter.le(word.absolute(x), LARGEST)
        seen = draft.state("seen", np.zeros(x.shape), "i32", low=0, high=5, clock=clock)
        heights = draft.state("heights", np.full((5, *x.shape), 2 * LARGEST), clock=clock)
        first = np.broadcast_to(np.arange(1.0, 6).reshape(5, *(1 for _ in x.shape)), heights.shape)
        places = draft.state("places", first, clock=clock)
        few = letter.lt(seen, 5)
        count = letter.minimum(letter.const(5, "i32"), letter.add(seen, 1))
        q, n = self._updated(_items(heights), _items(places), x)
        q = [letter.where(few, a, b) for a, b in zip(_inserted(_items(heights), x), q, strict=True)]
        n = [letter.where(few, a, b) for a, b in zip(_items(places), n, strict=True)]
        draft.set(heights, letter.where(usable, letter.stack(q), heights))
        draft.set(places, letter.where(usable, letter.stack(n), places))
        draft.set(seen, letter.where(usable, count, seen))
        given = draft.state("given", np.zeros(x.shape), clock=clock)
        now = letter.where(usable, letter.where(few, self._exact(q, count), q[2]), given)
        draft.set(given, now)
        return now

    def _exact(self, q: Sequence[Node], count: Node) -> Node:
        """The one of up to five sorted readings that lies nearest to the quantile's place."""
        nearest = [0, *(int(self.quantile * k + 0.5) for k in range(5))]
        place = letter.gather(letter.const(nearest, "i32"), count)
        found = q[0]
        for k in range(1, 5):
            found = letter.where(letter.eq(place, k), q[k], found)
        return found

    def _updated(self, q: list[Node], n: list[Node], x: Node) -> tuple[list[Node], list[Node]]:
        """Count the reading in, and move the three inner markers to where they should be."""
        n = [
            n[0],
            *(letter.add(n[k], _one_where(letter.lt(x, q[k]))) for k in (1, 2, 3)),
            letter.add(n[4], 1.0),
        ]
        q = [letter.minimum(x, q[0]), *q[1:4], letter.maximum(x, q[4])]
        p, last = self.quantile, letter.sub(n[4], 1.0)
        for k, share in ((1, p / 2), (2, p), (3, (1 + p) / 2)):
            wanted = letter.add(letter.mul(last, share), 1.0)
            q[k], n[k] = _moved(q[k - 1 : k + 2], n[k - 1 : k + 2], letter.sub(wanted, n[k]))
        full = letter.le(letter.const(MOST, "f32"), n[4])
        whole = [letter.cast(letter.cast(word.clip(letter.mul(m, 0.5), 1.0, MOST), "i32"), "f32") for m in n]
        return q, [letter.where(full, half, m) for half, m in zip(whole, n, strict=True)]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The example of the paper, whose median comes to 4.44; and a high quantile of few."""
        x = [0.02, 0.15, 0.74, 3.39, 0.83, 22.37, 10.15, 15.43, 38.62, 15.92]
        x += [34.60, 10.28, 1.47, 0.40, 0.05, 11.39, 0.27, 0.42, 0.09, 11.37]
        median = [0.02, 0.15, 0.15, 0.74, 0.74, 0.74, 0.74, 2.178333, 4.752685, 4.752685]
        median += [
            9.274704,
            9.274704,
            9.274704,
            9.274704,
            6.297302,
            6.297302,
            6.297302,
            6.297302,
            4.440634,
            4.440634,
        ]
        few = np.array([np.nan, 3.0, 1.0, np.nan, 2.0])
        return (
            Example(cls(), (np.array(x),), (median,), within=1e-5),
            Example(cls(0.9), (few,), ([0, 3, 3, 3, 3],)),
        )


def _items(x: Node) -> list[Node]:
    return [letter.reshape(letter.slice_(x, k, k + 1), x.shape[1:]) for k in range(x.shape[0])]


def _one_where(condition: Node) -> Node:
    return letter.cast(letter.cast(condition, "i32"), "f32")


def _inserted(q: list[Node], x: Node) -> list[Node]:
    """Sorted heights with one more among them, the last one dropped."""
    return [
        letter.minimum(q[0], x),
        *(letter.minimum(q[k], letter.maximum(q[k - 1], x)) for k in range(1, 5)),
    ]


def _moved(q: Sequence[Node], n: Sequence[Node], off: Node) -> tuple[Node, Node]:
    """A marker, between its neighbours, moved by one place where it is off by one or more."""
    below, above = letter.sub(n[1], n[0]), letter.sub(n[2], n[1])
    up = letter.both(letter.le(letter.const(1.0, "f32"), off), letter.lt(letter.const(1.0, "f32"), above))
    down = letter.both(letter.le(off, -1.0), letter.lt(letter.const(1.0, "f32"), below))
    step = letter.where(up, letter.const(1.0, "f32"), letter.where(down, letter.const(-1.0, "f32"), 0.0))
    rise, fall = (letter.div(letter.sub(b, a), w) for a, b, w in ((q[1], q[2], above), (q[0], q[1], below)))
    bent = letter.add(letter.mul(letter.add(below, step), rise), letter.mul(letter.sub(above, step), fall))
    parabola = letter.add(q[1], letter.mul(letter.div(step, letter.add(below, above)), bent))
    between = letter.both(letter.lt(q[0], parabola), letter.lt(parabola, q[2]))
    line = letter.add(q[1], letter.mul(step, letter.where(up, rise, fall)))
    return letter.where(between, parabola, line), letter.add(n[1], step)
