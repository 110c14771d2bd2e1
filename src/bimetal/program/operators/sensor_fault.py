"""Which sensors are missing, beyond what they can say, or stuck, and whose values can be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.event import Fault
from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft

MOST = 2**24
"""The longest run that is counted."""


@dataclass(frozen=True, slots=True)
class SensorFault(Checked):
    """Which sensors are missing, beyond what they can say, or stuck, and whose values can be used.

    Takes f32 (s,) readings, NaN where one is missing. Gives the fault of each signal as the number of
    nouns.event.Fault, and whether its value can be used now. A single gap is not usable but no fault
    yet: a signal is missing when `gone_after` readings in a row are. It is stuck from the reading on
    that says the same for the `stuck_after`-th time; gaps neither end such a run nor count in it.

    Parameters, one for each signal: `<name>_low`, `<name>_high`, `<name>_stuck_after`, `<name>_gone_after`.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Ni and others, Sensor network data fault types, ACM TOSN 5, 2009",
    )

    low: tuple[float, ...] = (-3e38,)
    high: tuple[float, ...] = (3e38,)
    stuck_after: tuple[int, ...] = (16,)
    gone_after: tuple[int, ...] = (4,)
    name: str = "sensor"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node]:
        """Gone, else out of range, else stuck, else healthy."""
        x = one(signals, self)
        low, high = draft.param(f"{self.name}_low", self.low), draft.param(f"{self.name}_high", self.high)
        here = word.known(x)
        inside = letter.both(letter.le(low, x), letter.le(x, high))
        stuck = letter.le(self._limit(draft, "stuck_after", self.stuck_after), self._repeats(draft, x, here))
        silence = word.counted(draft, letter.invert(here), MOST, "silence")
        gone = letter.le(self._limit(draft, "gone_after", self.gone_after), silence)
        outside = letter.both(here, letter.invert(inside))
        fault = letter.where(stuck, letter.const(int(Fault.STUCK), "i32"), int(Fault.HEALTHY))
        fault = letter.where(outside, letter.const(int(Fault.OUT_OF_RANGE), "i32"), fault)
        fault = letter.where(gone, letter.const(int(Fault.MISSING), "i32"), fault)
        return fault, letter.both(inside, letter.invert(stuck))

    def _limit(self, draft: Draft, which: str, value: tuple[int, ...]) -> Node:
        return draft.param(f"{self.name}_{which}", value, "i32", low=1, high=MOST)

    @staticmethod
    def _repeats(draft: Draft, x: Node, here: Node) -> Node:
        """For how many readings a signal has said the same, this one included."""
        clock = x.clock or EVERY
        last = draft.state("last", np.full(x.shape, np.nan), clock=clock)
        before = draft.state("repeats", np.zeros(x.shape), "i32", low=0, high=MOST, clock=clock)
        more = letter.minimum(letter.const(MOST, "i32"), letter.add(before, 1))
        run = letter.where(here, letter.where(letter.eq(x, last), more, 1), before)
        draft.set(last, letter.where(here, x, last))
        draft.set(before, run)
        return run

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Stuck at the third 5, still so over a gap, out of range at 99, missing at the second gap."""
        x = np.array([[5.0], [5.0], [5.0], [np.nan], [5.0], [99.0], [np.nan], [np.nan], [1.0]])
        fault = [[0], [0], [3], [3], [3], [2], [0], [1], [0]]
        usable = [[1], [1], [0], [0], [0], [0], [0], [0], [1]]
        return (Example(cls((0.0,), (9.0,), (3,), (2,)), (x,), (fault, usable)),)
