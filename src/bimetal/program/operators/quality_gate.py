"""Which sensors spike, lose readings, grow noisy, jump, drift or speak another unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.nouns.event import Fault
from bimetal.program import letter, word
from bimetal.program.jump import Jump
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft
from bimetal.program.sibling import MOST, Sibling, average

NEVER = 1e30
"""A limit that nothing reaches."""
CONVERSIONS = 4
"""So many changes of unit are tried on each signal."""
TESTED_FOR = 8
"""For so many readings after a step it is tried whether a change of unit explains it."""
BROKEN = 0.1
"""So many losses a reading, of late, are a dropout: three in some twenty readings."""


@dataclass(frozen=True, slots=True)
class QualityGate(Checked):
    """Which sensors spike, lose readings, grow noisy, jump, drift or speak another unit.

    Takes f32 (s,) standardised readings, b1 (s,), which of them a sound sensor can have said, and b1 (s,),
    which are missing. All limits are parameters learned from healthy readings:

        spike    a reading `<name>_jump` beyond the three before it, that comes back within two;
                 one that does not is a step. Only a signal with a sibling waits for that to use it
        noise    the mean size of the second difference of late beyond `<name>_rough`
        dropout  losses come and go more often than `<name>_broken` to a reading
        offset   the level of late, or of the last 64 readings, `<name>_fast` or `<name>_slow` beyond the
        drift    middle `<name>_middle`: come at once it is an offset, else a drift
        unit     a step beyond `<name>_reach` from `<name>_centre` that a change of unit explains

    With `siblings`, a signal may have a second sensor of the same thing, `<name>_sibling`, that it follows
    with `<name>_follows`: levels are then those of what it does not follow, and the one of the two that has
    left its own past is at fault. One without has itself and 0 there.

    Gives i32 (s,) the fault (nouns.event.Fault); i32 (s,) what a signal looks like where nothing tells a
    sensor from the process: noise, offset or drift without a sibling, a unit where `<name>_unit_known` says
    that nobody knows which it had; b1 (s,), usable, which a lost reading and another unit are not; b1 (s,),
    whether it is not known yet whether a reading is a spike or a step; and f32 (5, s), what is held against
    jump, rough, fast, slow and broken: the figures themselves.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Ni and others, Sensor network data fault types, ACM TOSN 5, 2009",
        "Sharma, Golubchik and Govindan, Sensor faults: detection methods and prevalence, ACM TOSN 6, 2010",
    )

    signals: int = knob(1, low=1, high=4096, what="how many signals there are")
    siblings: bool = knob(
        False, low=0, high=1, what="whether any of them has a second sensor of the same thing"
    )
    name: str = "quality"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node, Node, Node, Node]:
        """Each rule in turn; the most certain name wins."""
        z, sound, lost = self._signals(signals)
        limit = self._limits(draft)
        losses = self._losses(draft, lost)
        here = letter.both(sound, letter.invert(lost))
        value = word.clip(letter.where(here, z, 0.0), -1e8, 1e8)
        jump = Jump.of(draft, value, here, limit["jump"])
        rough = self._rough(draft, value, here, jump, limit["rough"])
        stepped = self._stepped(draft, jump)
        unit = self._unit(draft, value, here, jump)
        another = letter.lt(letter.const(0, "i32"), unit)
        other = letter.both(another, draft.param(f"{self.name}_unit_known", np.zeros(self.signals), "b1"))
        usable, spiked = letter.both(here, letter.invert(other)), jump.spiked
        sibling = Sibling.of(draft, self.name, self.signals) if self.siblings else None
        if sibling:
            # What both siblings did happened.
            own = letter.invert(sibling.shares(letter.either(jump.waits, jump.spiked)))
            doubted = letter.both(letter.both(jump.waits, letter.invert(sibling.alone)), own)
            usable, spiked = letter.both(usable, letter.invert(doubted)), letter.both(spiked, own)
        now, off, counts = sibling.compared(value, jump.one, usable) if sibling else (value, value, usable)
        seen = self._counted(draft, counts)
        fast, slow, shape = self._levels(draft, off, counts, seen, stepped, limit)

        broken = draft.param(f"{self.name}_broken", np.full(self.signals, BROKEN), low=0, high=NEVER)
        noise = self._stays(draft, rough, limit["rough"], "noisy")
        fault = letter.const(np.zeros(self.signals), "i32")
        if sibling:
            guilty = letter.both(sibling.guilty(now, usable, seen), letter.lt(letter.const(0, "i32"), shape))
            fault = letter.where(
                guilty, letter.where(another, letter.const(int(Fault.UNIT), "i32"), shape), fault
            )
            shape = letter.where(letter.either(sibling.alone, guilty), shape, 0)
        fault = letter.where(spiked, int(Fault.SPIKE), fault)
        fault = letter.where(letter.lt(broken, losses), int(Fault.DROPOUT), fault)
        fault = letter.where(other, int(Fault.UNIT), fault)
        soft = letter.where(noise, letter.const(int(Fault.NOISE), "i32"), shape)
        soft = letter.where(another, int(Fault.UNIT), soft)
        return fault, soft, usable, jump.waits, letter.stack([jump.back, rough, fast, slow, losses])

    def _limits(self, draft: Draft) -> dict[str, Node]:
        many = np.full(self.signals, NEVER)
        return {
            which: draft.param(f"{self.name}_{which}", many, low=0, high=NEVER)
            for which in ("jump", "rough", "fast", "slow")
        }

    def _losses(self, draft: Draft, lost: Node) -> Node:
        """How often of late a reading was lost that followed one that was not."""
        clock = lost.clock or EVERY
        before = draft.state("lost_before", np.zeros(self.signals), "b1", clock=clock)
        losses = draft.state("losses", np.zeros(self.signals), low=0, high=1, clock=clock)
        begins = letter.cast(letter.cast(letter.both(lost, letter.invert(before)), "i32"), "f32")
        draft.set(before, lost)
        after = letter.add(losses, letter.mul(letter.sub(begins, losses), 1 / 24))
        draft.set(losses, word.clip(after, 0.0, 1.0))
        return after

    def _rough(self, draft: Draft, value: Node, here: Node, jump: Jump, limit: Node) -> Node:
        """The mean second difference; what waits to be told a spike or a step counts twice the limit."""
        rough = draft.state("rough", np.zeros(self.signals), low=0, high=1e9, clock=value.clock or EVERY)
        bend = word.absolute(letter.add(letter.sub(value, letter.mul(jump.one, 2.0)), jump.two))
        twice = word.clip(letter.mul(limit, 2.0), 0.0, 1e9)
        now = letter.where(jump.waits, twice, word.clip(bend, 0.0, 1e9))
        after = letter.add(rough, letter.mul(letter.sub(now, rough), 2 / 17))
        held = letter.where(letter.both(here, jump.full), word.clip(after, 0.0, 1e9), rough)
        draft.set(rough, held)
        return held

    def _unit(self, draft: Draft, value: Node, here: Node, jump: Jump) -> Node:
        """Which conversion explains the last step, counted from 1; 0 for none."""
        many, clock = self.signals, value.clock or EVERY
        factor = draft.param(f"{self.name}_factor", np.ones((CONVERSIONS, many)), low=-1e9, high=1e9)
        shift = draft.param(f"{self.name}_shift", np.full((CONVERSIONS, many), NEVER), low=-NEVER, high=NEVER)
        centre = draft.param(f"{self.name}_centre", np.zeros(many), low=-1e9, high=1e9)
        reach = draft.param(f"{self.name}_reach", np.full(many, NEVER), low=0, high=NEVER)
        back = letter.add(letter.mul(value, factor), shift)
        far = letter.lt(reach, word.absolute(letter.sub(value, centre)))
        origin = draft.param(f"{self.name}_origin", np.zeros(many), low=-1e9, high=1e9)
        size = word.absolute(letter.add(jump.before, origin))
        tolerance = letter.minimum(jump.limit, letter.mul(size, 0.25))
        near = letter.le(word.absolute(letter.sub(back, jump.before)), tolerance)
        numbers = letter.const([[k + 1] for k in range(CONVERSIONS)], "i32")
        which = letter.reduce(letter.where(near, numbers, letter.const(0, "i32")), "max", axis=0)
        left, keep_left = word.small(draft, "unit_left", (many,), TESTED_FOR, clock)
        less = letter.maximum(letter.const(0, "i32"), letter.sub(left, 1))
        testing = letter.where(jump.steps, letter.const(TESTED_FOR, "i32"), letter.where(here, less, left))
        keep_left(testing)
        unit, keep_unit = word.small(draft, "unit", (many,), CONVERSIONS, clock)
        may = letter.both(letter.both(far, here), letter.lt(letter.const(0, "i32"), testing))
        fresh = letter.where(letter.both(may, letter.eq(unit, 0)), which, unit)
        after = letter.where(letter.both(here, letter.invert(far)), letter.const(0, "i32"), fresh)
        keep_unit(after)
        return after

    def _stepped(self, draft: Draft, jump: Jump) -> Node:
        """The size of the last step, less and less of it."""
        size = draft.state("stepped", np.zeros(self.signals), low=0, high=1e9, clock=jump.size.clock or EVERY)
        after = letter.where(jump.steps, jump.size, letter.mul(size, 0.99))
        draft.set(size, word.clip(after, 0.0, 1e9))
        return after

    def _stays(self, draft: Draft, figure: Node, limit: Node, name: str) -> Node:
        """Whether a figure is beyond its limit, or has been and is not yet well within it."""
        before = draft.state(name, np.zeros(self.signals), "b1", clock=figure.clock or EVERY)
        bound = letter.where(before, letter.mul(limit, 0.7), limit)
        after = letter.lt(bound, figure)
        draft.set(before, after)
        return after

    def _counted(self, draft: Draft, counts: Node) -> Node:
        """How many readings of each signal have counted, this one included."""
        before, keep = word.small(draft, "levels_seen", (self.signals,), MOST, counts.clock or EVERY)
        more = letter.minimum(letter.const(MOST, "i32"), letter.add(before, 1))
        seen = letter.where(counts, more, before)
        keep(seen)
        return seen

    def _levels(
        self, draft: Draft, off: Node, counts: Node, seen: Node, stepped: Node, limit: dict[str, Node]
    ) -> tuple[Node, Node, Node]:
        """Levels of late and of longer, and what shape their leaving has: offset, drift or 0."""
        many, clock = self.signals, off.clock or EVERY
        middle = draft.param(f"{self.name}_middle", np.zeros(many), low=-1e9, high=1e9)
        fast = average(draft, off, counts, seen, 8, "fast")
        slow = average(draft, off, counts, seen, 64, "slow")
        away = word.absolute(letter.sub(fast, middle))
        apart = word.absolute(letter.sub(slow, middle))
        outside = letter.either(
            self._stays(draft, away, limit["fast"], "fast_out"),
            self._stays(draft, apart, limit["slow"], "slow_out"),
        )
        outside = letter.both(letter.both(outside, counts), letter.le(letter.const(16, "i32"), seen))
        between = average(draft, off, counts, seen, 24, "between")
        apart_before = draft.state("apart", np.zeros(many), low=0, high=1e9, clock=clock)
        most_apart = letter.maximum(word.absolute(letter.sub(fast, between)), letter.mul(apart_before, 0.94))
        draft.set(apart_before, word.clip(most_apart, 0.0, 1e9))
        hidden = letter.le(letter.mul(away, 0.5), most_apart)
        at_once = letter.either(letter.le(letter.mul(away, 0.5), stepped), hidden)
        name = letter.where(at_once, letter.const(int(Fault.OFFSET), "i32"), int(Fault.DRIFT))
        before, keep = word.small(draft, "shape", (many,), max(Fault), clock)
        kept = letter.where(letter.lt(letter.const(0, "i32"), before), before, name)
        shape = letter.where(outside, kept, letter.const(0, "i32"))
        keep(shape)
        return fast, slow, shape

    def _signals(self, signals: tuple[Node, ...]) -> tuple[Node, Node, Node]:
        match signals:
            case (Node(dtype="f32") as z, Node(dtype="b1") as sound, Node(dtype="b1") as lost) if (
                z.shape == sound.shape == lost.shape == (self.signals,)
            ):
                return z, sound, lost
            case _:
                raise BadProgram(
                    f"it takes f32[{self.signals}] and two b1 of that shape, not {list(signals)}",
                    where="QualityGate",
                )

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Nothing is held against a fresh gate: its limits are never reached."""
        z = np.array([[1.0], [1.0], [1.0], [1.0], [9.0]])
        yes, no = np.ones((5, 1), bool), np.zeros((5, 1), bool)
        zero = [[0]] * 5
        figures = [
            [[0.0], [0.0], [1.0], [1.0], [0.0]],
            [[0.0], [0.0], [1.0], [1.0], [0.0]],
            [[0.0], [0.0], [1.0], [1.0], [0.0]],
            [[0.0], [0.0], [1.0], [1.0], [0.0]],
            [[0.0], [16 / 17], [1 + 16 / 9], [2.6], [0.0]],
        ]
        return (Example(cls(), (z, yes, no), (zero, zero, [[1]] * 5, zero, figures), within=1e-5),)
