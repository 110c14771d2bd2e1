"""On above one limit, off below another, and as before in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Hysteresis(Checked):
    """On above one limit, off below another, and as before in between.

    Takes f32 of any shape and gives b1; off at the start. A gap changes nothing.
    """

    references: ClassVar[tuple[str, ...]] = ("Schmitt, A thermionic trigger, J. Sci. Instrum. 15, 1938",)

    on_above: float = knob(1.0, low=-1e30, high=1e30, what="the limit that turns it on")
    off_below: float = knob(0.5, low=-1e30, high=1e30, what="the limit that turns it off")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Above the one, or as before and not below the other."""
        x = one(signals, self)
        if self.off_below > self.on_above:
            raise BadProgram(
                f"it would be off below {self.off_below} and on above {self.on_above} at once",
                where="Hysteresis",
            )
        before = draft.state("on", np.zeros(x.shape), "b1", clock=x.clock or EVERY)
        stays = letter.both(before, letter.invert(letter.lt(x, self.off_below)))
        now = letter.either(letter.lt(letter.const(self.on_above, "f32"), x), stays)
        draft.set(before, now)
        return now

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """The limits themselves change nothing, nor does a gap."""
        x = np.array([1.0, 1.5, 0.75, np.nan, 0.5, 0.25, 0.75, 1.0, np.nan])
        return (Example(cls(), (x,), ([0, 1, 1, 1, 1, 0, 0, 0, 0],)),)
