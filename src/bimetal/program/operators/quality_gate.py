"""Which sensors spike, lose readings, grow noisy, jump, drift or speak another unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.nouns.event import Fault
from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft

NEVER = 1e30
"""A limit that nothing reaches."""
MOST = 65536
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

    Where a signal has a sibling, `<name>_sibling`, that it follows with `<name>_follows`, levels are those of
    what it does not follow, and the one of the two that has left its own past is at fault. Where there is
    none, `<name>_sibling` is the signal itself and `<name>_follows` 0.

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
    name: str = "quality"

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node, Node, Node, Node]:
        """Each rule in turn; the most certain name wins."""
        z, sound, lost = self._signals(signals)
        limit = self._limits(draft)
        losses = self._losses(draft, lost)
        here = letter.both(sound, letter.invert(lost))
        value = word.clip(letter.where(here, z, 0.0), -1e8, 1e8)
        jump = _Jump.of(draft, value, here, limit["jump"])
        rough = self._rough(draft, value, here, jump, limit["rough"])
        stepped = self._stepped(draft, jump)
        unit = self._unit(draft, value, here, jump)
        another = letter.lt(letter.const(0, "i32"), unit)
        other = letter.both(another, draft.param(f"{self.name}_unit_known", np.zeros(self.signals), "b1"))
        follows = draft.param(f"{self.name}_follows", np.zeros(self.signals), low=-100, high=100)
        kin, sibling = letter.invert(letter.eq(follows, 0.0)), self._sibling(draft)
        # What both siblings did happened.
        shared = letter.both(kin, letter.gather(letter.either(jump.waits, jump.spiked), sibling))
        doubted = letter.both(letter.both(jump.waits, kin), letter.invert(shared))
        spiked = letter.both(jump.spiked, letter.invert(shared))
        usable = letter.both(letter.both(here, letter.invert(doubted)), letter.invert(other))
        fast, slow, shape, hard = self._levels(
            draft, value, jump.one, usable, follows, sibling, stepped, limit
        )

        broken = draft.param(f"{self.name}_broken", np.full(self.signals, BROKEN), low=0, high=NEVER)
        dropout = letter.lt(broken, losses)
        noise = self._stays(draft, rough, limit["rough"], "noisy")
        named = letter.const(np.zeros(self.signals), "i32")
        told = letter.where(another, letter.const(int(Fault.UNIT), "i32"), shape)
        fault = letter.where(hard, told, named)
        fault = letter.where(spiked, int(Fault.SPIKE), fault)
        fault = letter.where(dropout, int(Fault.DROPOUT), fault)
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

    def _sibling(self, draft: Draft) -> Node:
        last = self.signals - 1
        return draft.param(f"{self.name}_sibling", np.arange(self.signals), "i32", low=0, high=last)

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

    def _rough(self, draft: Draft, value: Node, here: Node, jump: _Jump, limit: Node) -> Node:
        """The mean second difference; what waits to be told a spike or a step counts twice the limit."""
        rough = draft.state("rough", np.zeros(self.signals), low=0, high=1e9, clock=value.clock or EVERY)
        bend = word.absolute(letter.add(letter.sub(value, letter.mul(jump.one, 2.0)), jump.two))
        twice = word.clip(letter.mul(limit, 2.0), 0.0, 1e9)
        now = letter.where(jump.waits, twice, word.clip(bend, 0.0, 1e9))
        after = letter.add(rough, letter.mul(letter.sub(now, rough), 2 / 17))
        held = letter.where(letter.both(here, jump.full), word.clip(after, 0.0, 1e9), rough)
        draft.set(rough, held)
        return held

    def _unit(self, draft: Draft, value: Node, here: Node, jump: _Jump) -> Node:
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
        left = draft.state("unit_left", np.zeros(many), "i32", low=0, high=TESTED_FOR, clock=clock)
        less = letter.maximum(letter.const(0, "i32"), letter.sub(left, 1))
        testing = letter.where(jump.steps, letter.const(TESTED_FOR, "i32"), letter.where(here, less, left))
        draft.set(left, testing)
        unit = draft.state("unit", np.zeros(many), "i32", low=0, high=CONVERSIONS, clock=clock)
        may = letter.both(letter.both(far, here), letter.lt(letter.const(0, "i32"), testing))
        fresh = letter.where(letter.both(may, letter.eq(unit, 0)), which, unit)
        after = letter.where(letter.both(here, letter.invert(far)), letter.const(0, "i32"), fresh)
        draft.set(unit, after)
        return after

    def _stepped(self, draft: Draft, jump: _Jump) -> Node:
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

    def _levels(
        self,
        draft: Draft,
        value: Node,
        before: Node,
        usable: Node,
        follows: Node,
        sibling: Node,
        stepped: Node,
        limit: dict[str, Node],
    ) -> tuple[Node, Node, Node, Node]:
        """Levels of late and of longer, what shape their leaving has, and whether a sibling convicts them."""
        many, clock = self.signals, value.clock or EVERY
        middle = draft.param(f"{self.name}_middle", np.zeros(many), low=-1e9, high=1e9)
        held = draft.state("held", np.zeros(many), low=-1e8, high=1e8, clock=clock)
        now = letter.where(usable, value, held)
        draft.set(held, now)
        beside = letter.gather(now, sibling)
        alone = letter.eq(follows, 0.0)
        # A sibling that says the same again is no witness: it may be stuck.
        witness = letter.both(usable, letter.invert(letter.eq(value, before)))
        both = letter.both(usable, letter.either(alone, letter.gather(witness, sibling)))
        off = word.clip(letter.sub(now, letter.mul(follows, beside)), -1e8, 1e8)
        count = draft.state("levels_seen", np.zeros(many), "i32", low=0, high=MOST, clock=clock)
        seen = letter.where(both, letter.minimum(letter.const(MOST, "i32"), letter.add(count, 1)), count)
        draft.set(count, seen)
        fast = _average(draft, off, both, seen, 8, "fast")
        slow = _average(draft, off, both, seen, 64, "slow")
        away = word.absolute(letter.sub(fast, middle))
        apart = word.absolute(letter.sub(slow, middle))
        outside = letter.either(
            self._stays(draft, away, limit["fast"], "fast_out"),
            self._stays(draft, apart, limit["slow"], "slow_out"),
        )
        outside = letter.both(letter.both(outside, both), letter.le(letter.const(16, "i32"), seen))
        between = _average(draft, off, both, seen, 24, "between")
        apart_before = draft.state("apart", np.zeros(many), low=0, high=1e9, clock=clock)
        most_apart = letter.maximum(word.absolute(letter.sub(fast, between)), letter.mul(apart_before, 0.94))
        draft.set(apart_before, word.clip(most_apart, 0.0, 1e9))
        hidden = letter.le(letter.mul(away, 0.5), most_apart)
        at_once = letter.either(letter.le(letter.mul(away, 0.5), stepped), hidden)
        name = letter.where(at_once, letter.const(int(Fault.OFFSET), "i32"), int(Fault.DRIFT))
        shape = draft.state("shape", np.zeros(many), "i32", low=0, high=16, clock=clock)
        kept = letter.where(letter.lt(letter.const(0, "i32"), shape), shape, name)
        shaped = letter.where(outside, kept, letter.const(0, "i32"))
        draft.set(shape, shaped)
        own_fast = _average(draft, now, usable, seen, 8, "own_fast")
        own_slow = _average(draft, now, usable, seen, 256, "own_slow")
        left = word.absolute(letter.sub(own_fast, own_slow))
        guilty = letter.le(letter.gather(left, sibling), left)
        hard = letter.both(letter.both(outside, letter.invert(alone)), guilty)
        return fast, slow, letter.where(letter.either(alone, hard), shaped, 0), hard

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


@dataclass(frozen=True, slots=True)
class _Jump:
    """How a reading lies to the three before it.

    `one`, `two`: the last two that were taken; `full`: there were three; `waits`: it jumped, and may be a
    spike or a step; `steps`: it is a step; `spiked`: it came back from a spike, of size `back` if one reading
    long; `before`: the level before the last step; `size`: how far
    this reading is from the middle one of three.
    """

    one: Node
    two: Node
    full: Node
    waits: Node
    steps: Node
    spiked: Node
    back: Node
    before: Node
    size: Node
    limit: Node

    @classmethod
    def of(cls, draft: Draft, value: Node, here: Node, limit: Node) -> _Jump:
        """Compare a reading with the median of three, and keep them up."""
        many, clock = value.shape, value.clock or EVERY

        def kept(name: str) -> Node:
            return draft.state(name, np.zeros(many), low=-1e8, high=1e8, clock=clock)

        one, two, three, before = kept("one"), kept("two"), kept("three"), kept("before")
        taken = draft.state("taken", np.zeros(many), "i32", low=0, high=4, clock=clock)
        wait = draft.state("wait", np.zeros(many), "i32", low=0, high=3, clock=clock)
        full = letter.le(letter.const(3, "i32"), taken)
        usual = _middle(one, two, three)
        top = letter.maximum(one, letter.maximum(two, three))
        bottom = letter.minimum(one, letter.minimum(two, three))
        above, below = letter.sub(value, top), letter.sub(bottom, value)
        over = letter.both(letter.both(here, full), letter.lt(limit, letter.maximum(above, below)))
        more = letter.minimum(letter.const(3, "i32"), letter.add(wait, 1))
        waited = letter.where(over, more, letter.where(here, letter.const(0, "i32"), wait))
        steps = letter.both(over, letter.eq(waited, 3))
        draft.set(wait, letter.where(steps, letter.const(0, "i32"), waited))
        spiked = letter.both(letter.both(here, letter.invert(over)), letter.lt(letter.const(0, "i32"), wait))
        draft.set(before, letter.where(steps, usual, before))
        fits = letter.both(here, letter.invert(over))
        draft.set(one, letter.where(letter.either(steps, fits), value, one))
        draft.set(two, letter.where(steps, value, letter.where(fits, one, two)))
        draft.set(three, letter.where(steps, value, letter.where(fits, two, three)))
        draft.set(
            taken, letter.where(fits, letter.minimum(letter.const(4, "i32"), letter.add(taken, 1)), taken)
        )
        back = letter.where(letter.eq(taken, 4), _returned(draft, value, one, two, three), 0.0)
        return cls(
            one, two, full, letter.both(over, letter.invert(steps)), steps, spiked,
            letter.where(here, back, 0.0), letter.where(steps, usual, before),
            word.absolute(letter.sub(value, usual)), limit,
        )  # fmt: skip


def _returned(draft: Draft, value: Node, one: Node, two: Node, three: Node) -> Node:
    """How far the reading before stood out on one side of the two before it and of this one."""
    up = letter.sub(one, letter.maximum(value, letter.maximum(two, three)))
    down = letter.sub(letter.minimum(value, letter.minimum(two, three)), one)
    return letter.maximum(letter.const(0.0, "f32"), letter.maximum(up, down))


def _middle(a: Node, b: Node, c: Node) -> Node:
    return letter.maximum(letter.minimum(a, b), letter.minimum(letter.maximum(a, b), c))


def _average(draft: Draft, x: Node, when: Node, seen: Node, span: int, name: str) -> Node:
    """The exponential average over a span, the plain mean until there were enough."""
    before = draft.state(name, np.zeros(x.shape), low=-1e8, high=1e8, clock=x.clock or EVERY)
    count = letter.maximum(letter.const(1.0, "f32"), letter.cast(seen, "f32"))
    weight = letter.maximum(letter.const(2 / (span + 1), "f32"), letter.div(letter.const(1.0, "f32"), count))
    after = letter.where(when, letter.add(before, letter.mul(weight, letter.sub(x, before))), before)
    held = word.clip(after, -1e8, 1e8)
    draft.set(before, held)
    return held
