"""Detector: the default program, wired from operators; what is learned for it are its parameters.

    readings ── sound sensors ── standardised ─┬─ moving moments ── each signal from its own habit ─┐
                     │                         └─ levels by scale ── all signals from theirs ───────┤
                   fault                                                         share ── score ── alarm

One definition: learning runs `sensing_program`, the front part of the same wiring.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bimetal.nouns.event import Fault
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operators.budgeted_alarm import BudgetedAlarm
from bimetal.program.operators.clip import Clip
from bimetal.program.operators.drift_test import DriftTest
from bimetal.program.operators.guarded_distance import GuardedDistance
from bimetal.program.operators.joint_score import JointScore
from bimetal.program.operators.moving_moments import KINDS, MovingMoments
from bimetal.program.operators.quality_gate import QualityGate
from bimetal.program.operators.sensor_fault import SensorFault
from bimetal.program.operators.standardise import Standardise
from bimetal.program.program import Draft, Program

BOUND = 20.0
"""Standardised values are kept within this many scales."""
UNDER = 1 - 2.0**-10
"""A score that is just no alarm."""
DRIFT_BLOCK = 256
"""Blocks of so many readings depend little on each other: twice the longest average, or more."""
OWN, TOGETHER = "own", "together"
"""What habits there are: each signal's own, and that of all together; their names begin with these."""
LONGEST = 2**15 - 1
"""So many readings are counted at most."""
LATE = 16
"""A signal that has so many readings less than the others is waited for, until its averages have settled."""


@dataclass(frozen=True, slots=True)
class Design:
    """What is decided before anything is learned.

    `siblings` says whether any two signals measure the same thing, so that one can witness for the other;
    `spans` are the averaging spans in readings; `warm_up` is for how many readings the score stays 0;
    `block` is the most signals whose relations are learned together: with more of them, neighbours in
    the order of the signals form blocks of equal size. Of the habits that are learned, what goes on being
    learned is the middle of each signal's own features (`own_drifts`) and their variances (`own_varies`), and
    the middle of those of all together (`joint_drifts`); the variances of these always do. `lasting` says
    whether it is counted for how long each signal has had a large part in the score.
    """

    signals: int
    spans: tuple[float, ...] = (8.0, 16.0, 32.0, 64.0, 128.0)
    warm_up: int = 48
    block: int = 64
    siblings: bool = False
    own_drifts: bool = True
    own_varies: bool = True
    joint_drifts: bool = True
    lasting: bool = True

    @property
    def settled(self) -> int:
        """After how many readings averages mean what they did in training; the score grows till then."""
        return max(self.warm_up, int(max(self.spans)))

    @property
    def own_features(self) -> int:
        """How many features describe one signal."""
        return KINDS * len(self.spans)

    @property
    def bands(self) -> int:
        """Into how many scales a signal's level is split."""
        return len(self.cuts) + 1

    @property
    def cuts(self) -> tuple[int, ...]:
        """The spans, by number, at which it is split: the shortest and the fourth, or the longest there is.

        Still slower levels have too few independent values in a short history to tell what is usual.
        """
        return (0, min(3, len(self.spans) - 1)) if len(self.spans) > 1 else (0,)

    @property
    def blocks(self) -> int:
        """How many blocks of signals are looked at together; 0 for one signal, which has no company."""
        return -(-self.signals // self.block) if self.signals > 1 else 0

    @property
    def block_size(self) -> int:
        """How many signals a block has; the last one is filled up with zeros."""
        return -(-self.signals // self.blocks) if self.blocks else 0


def input_names(signals: Sequence[str]) -> tuple[str, ...]:
    """Return a distinct identifier of at most 40 ASCII characters for each signal's name, in their order."""
    names: list[str] = []
    for number, signal in enumerate(signals):
        plain = re.sub(r"[^a-z0-9]+", "_", signal.lower()).strip("_")[:32] or f"signal_{number + 1}"
        if plain[0].isdigit():
            plain = f"x_{plain}"
        unlike, count = plain, number
        while unlike in names:
            count += 1
            unlike = f"{plain}_{count}"
        names.append(unlike)
    return tuple(names)


def sensing_program(design: Design, names: Sequence[str]) -> tuple[Program, Draft]:
    """Return the front part of the detector: `features` (s, f), `bands` (b, s), `fault` and `usable` (s,)."""
    draft = Draft("sensing")
    sensed = _sense(draft, design, names)
    draft.output("features", sensed.features)
    draft.output("bands", sensed.bands)
    draft.output("fault", sensed.gate.fault)
    draft.output("usable", sensed.gate.usable)
    return draft.finish(), draft


def gate_program(design: Design, names: Sequence[str]) -> tuple[Program, Draft]:
    """Return the very front: `z` (s,), standardised, and `figures` (5, s), held to the gate's limits.

    Also `fault`, `looks` and `usable` (s,): see QualityGate.
    """
    draft = Draft("gate")
    gate = _gate(draft, design, names)
    for name, node in (
        ("z", gate.z),
        ("figures", gate.figures),
        ("fault", gate.fault),
        ("looks", gate.looks),
    ):
        draft.output(name, node)
    draft.output("usable", gate.usable)
    return draft.finish(), draft


def detector_program(design: Design, names: Sequence[str]) -> tuple[Program, Draft]:
    """Return the detector: `score` (), `alarm` (), `share` (s,), `fault` (s,), and the draft it came from.

    Beside these: `lasting` (s,), for how many readings in a row each signal's part in the score has been at
    least what it `mostly` stays below; `looks` (s,), see QualityGate; `held_back` (), how many alarms the
    budget did not allow;
    and, after every DRIFT_BLOCK readings, `drift` (), whether high scores have become more frequent than
    they were in the history, so that the promise no longer holds.
    The draft's values stand for every parameter until learned ones take their place.
    """
    draft = Draft("detector")
    sensed = _sense(draft, design, names)
    usable, seen = sensed.gate.usable, sensed.seen
    warm = letter.le(letter.const(design.warm_up, "i32"), letter.reduce(seen, "max"))
    alone = GuardedDistance(
        design.signals, design.own_features, drifts=design.own_drifts, varies=design.own_varies, name=OWN
    )
    known = letter.minimum(letter.const(design.settled, "i32"), letter.reduce(seen, "max"))
    enough = letter.maximum(letter.const(design.warm_up, "i32"), letter.sub(known, LATE))
    settled = letter.both(usable, letter.le(enough, seen))
    own, _ = alone.trace(draft, sensed.features, settled, warm)
    parts = [own]
    if design.blocks:
        parts.append(_together(draft, design, sensed.bands, settled, warm))
    raw, share = JointScore().trace(draft, *parts)
    threshold = draft.param("threshold", 1.0, low=1e-3, high=1e6)
    trust = letter.mul(letter.cast(known, "f32"), 1 / design.settled)
    score = letter.where(warm, letter.mul(letter.div(raw, threshold), trust), 0.0)
    draft.output("score", score)
    # Whether a jump is a spike or a step is known two readings later: no alarm begins before.
    heard = letter.where(
        word.any_of(sensed.gate.waits), letter.minimum(letter.const(UNDER, "f32"), score), score
    )
    alarm, held_back = BudgetedAlarm().trace(draft, heard)
    draft.output("alarm", alarm)
    draft.output("share", share)
    if design.lasting:
        # Decided here and not beside it: two bytes a signal, and the device knows it too.
        mostly = draft.param("mostly", np.ones(design.signals), low=0, high=1e9)
        large = letter.le(mostly, letter.mul(share, score))
        draft.output("lasting", word.counted(draft, large, LONGEST, "lasting"))
    draft.output("fault", sensed.gate.fault)
    draft.output("looks", sensed.gate.looks)
    draft.output("held_back", held_back)
    draft.output("drift", DriftTest(DRIFT_BLOCK).trace(draft, score))
    return draft.finish(), draft


@dataclass(frozen=True, slots=True)
class _Gate:
    """What the gate says of every signal: its fault, what it looks like, whether it can be used, figures."""

    fault: Node
    looks: Node
    usable: Node
    waits: Node
    figures: Node
    z: Node


@dataclass(frozen=True, slots=True)
class _Senses:
    """What is sensed: features (s, f), bands (b, s), how many values of each signal (s,), and the gate's."""

    features: Node
    bands: Node
    seen: Node
    gate: _Gate


def _sense(draft: Draft, design: Design, names: Sequence[str]) -> _Senses:
    gate = _gate(draft, design, names)
    z = letter.where(gate.usable, Clip(-BOUND, BOUND).trace(draft, gate.z), 0.0)
    features, levels, seen = MovingMoments(design.spans, BOUND).trace(draft, z, gate.usable)
    return _Senses(features, _bands(z, levels, design.cuts), seen, gate)


def _gate(draft: Draft, design: Design, names: Sequence[str]) -> _Gate:
    x = letter.stack([draft.input(name) for name in names])
    many = design.signals
    check = SensorFault((-3e38,) * many, (3e38,) * many, (64,) * many, (8,) * many)
    fault, sound = check.trace(draft, x)
    z = Standardise((0.0,) * many, (1.0,) * many, "usual").trace(draft, x)
    lost = letter.invert(word.known(x))
    # What is out of range may be another unit, which the gate can tell; it is not used for all that.
    outside = letter.eq(fault, int(Fault.OUT_OF_RANGE))
    shape, looks, fit, waits, figures = QualityGate(many, design.siblings).trace(
        draft, z, letter.either(sound, outside), lost
    )
    usable = letter.both(sound, fit)
    open_to_it = letter.either(
        letter.eq(fault, int(Fault.HEALTHY)), letter.eq(fault, int(Fault.OUT_OF_RANGE))
    )
    named = letter.both(open_to_it, letter.lt(letter.const(0, "i32"), shape))
    fault = letter.where(named, shape, fault)
    return _Gate(fault, looks, usable, waits, figures, z)


def _bands(z: Node, levels: Node, cuts: Sequence[int]) -> Node:
    """Split the values by scale: what each average leaves of the one before it, and the slowest average."""
    rows = [z, *(letter.gather(levels, letter.const(k, "i32")) for k in cuts)]
    return letter.stack([*(letter.sub(a, b) for a, b in pairwise(rows)), rows[-1]])


def _together(draft: Draft, design: Design, bands: Node, usable: Node, warm: Node) -> Node:
    """Return each signal's part (bands, s) in the distances of all signals together."""
    groups, size = design.bands * design.blocks, design.block_size
    company = GuardedDistance(groups, size, drifts=design.joint_drifts, name=TOGETHER)
    filled = letter.reshape(
        letter.stack(
            [_filled(letter.gather(bands, letter.const(k, "i32")), design, 0.0) for k in range(design.bands)]
        ),
        (groups, size),
    )
    flags = letter.reshape(letter.stack([_filled(usable, design, True)] * design.bands), (groups, size))
    _, parts = company.trace(draft, filled, flags, warm)
    whole = letter.reshape(parts, (design.bands, design.blocks * size))
    scaled = letter.mul(whole, 1 / design.blocks)
    return letter.slice_(scaled, 0, design.signals, axis=1) if design.blocks > 1 else scaled


def _filled(row: Node, design: Design, with_: float | bool) -> Node:
    missing = design.blocks * design.block_size - design.signals
    if not missing:
        return row
    return letter.concat([row, letter.const(np.full(missing, with_), row.dtype)])
