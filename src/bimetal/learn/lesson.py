"""Lesson: what a history, or a part of it, teaches: what is usual, limits, habits; and scores by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bimetal.learn.dataset import History
from bimetal.learn.detector import OWN, TOGETHER, Design
from bimetal.learn.gate import gated, usual_of_history
from bimetal.learn.kin import Kin, kin_of_history, no_kin
from bimetal.learn.learners.covariance import RIDGE_OWN, RIDGE_TOGETHER, Habit, fit_habit
from bimetal.learn.sense import MOST_ROWS, Floats, Rows, Sensed, Values, run, sense
from bimetal.learn.usual import Usual
from bimetal.program.program import Program
from bimetal.targets.target import Target

LONG_ROWS = 1000
"""With so many rows of a device, what is usual for it can be learned from a part of them."""
MOSTLY = 0.9
_FASTEST, _SLOWEST = 400, 5000


@dataclass(frozen=True, slots=True)
class Teacher:
    """What is the same whatever part of a history is learned from; `chance`: see gated."""

    design: Design
    names: tuple[str, ...]
    typical_rows: float
    target: Target
    chance: float

    def own(self, history: History, usual: Mapping[str, list[Usual]], kin: Kin) -> dict[str, Values]:
        """Return every device's parameters: what is usual, and the limits of its gate."""
        return gated(history, self.design, self.names, usual, kin, self.target, self.chance)

    def lesson(self, history: History, usual: Mapping[str, list[Usual]], own: dict[str, Values]) -> Lesson:
        """Learn the fleet's habit from the devices with enough rows."""
        devices = tuple(d for d in history.devices if d in usual) or history.devices
        stretches = [(own[d], rows) for d in devices for rows in history.stretches(d)]
        sensed = sense(self.design, self.names, stretches, self.target)
        return Lesson(self, devices, own, sensed, self._habits(sensed))

    def part(self, whole: Lesson, history: History, first: float, last: float) -> Lesson:
        """Learn from this part, 0..1, of the history all that is learned from the whole of it.

        The habit of a device alone makes up for where its readings are taken to lie; that of a fleet cannot,
        so there every device is looked at anew: unless its history is so short that a part of it would
        show a part of what the device does.
        """
        if len(whole.devices) == 1 or self.typical_rows < LONG_ROWS:
            sensed = [s.part(first, last) for s in whole.sensed]
            return replace(whole, sensed=sensed, habit=self._habits(sensed))
        some = history.part(first, last)
        usual = usual_of_history(some)
        kin = kin_of_history(some, usual) if self.design.siblings else no_kin(len(some.signals))
        learned = self.lesson(some, usual, self.own(some, usual, kin))
        return replace(learned, sensed=[])  # much memory, and nobody will ask

    def _habits(self, sensed: list[Sensed]) -> Values:
        """Return the parameters of all habits."""
        features, bands = [s.features for s in sensed], [s.bands for s in sensed]
        alone = range(self.design.signals)
        own = [fit_habit(np.concatenate([f[:, k] for f in features]), RIDGE_OWN) for k in alone]
        values = _named(OWN, own, 1 / min(max(self.typical_rows, _FASTEST), _SLOWEST))
        for unasked in _unasked(self.design):
            del values[f"{OWN}_{unasked}"]
        if self.design.blocks:
            together = [fit_habit(rows, RIDGE_TOGETHER) for rows in _groups(bands, self.design)]
            values |= _named(TOGETHER, together, 1 / (5 * max(self.typical_rows, _FASTEST)))
        return values


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores (n,) of every stretch, and the parts (m, s) of the signals in some of them."""

    scores: list[Floats]
    parts: Rows

    @property
    def mostly(self) -> Floats:
        """What the part of each signal (s,) stays below in nine of ten readings."""
        return np.quantile(self.parts, MOSTLY, axis=0).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned: the parameters of every device, what was sensed by them, and the fleet's habit."""

    teacher: Teacher
    devices: tuple[str, ...]
    own: dict[str, Values]
    sensed: list[Sensed]
    habit: Values

    def scores(self, program: Program, start: Values, history: History) -> Scored:
        """Return the raw scores of every stretch of the devices that were learned from.

        They are those of a detector whose averages have been settled from the beginning.
        """
        t = self.teacher
        found, parts = list[Floats](), list[Rows]()
        every = max(1, history.rows // MOST_ROWS)
        for device in self.devices:
            learned = start | self.habit | self.own[device]
            for rows in history.stretches(device):
                scores: list[Floats] = []
                for out in run(program, learned, t.names, rows, t.target):
                    scores.append(out["score"].astype(np.float64))
                    share = out["share"].reshape(len(out), -1)
                    parts.append(share[::every] * out["score"][::every, None])
                score = np.concatenate(scores)
                seen = np.arange(1, len(score) + 1)
                found.append(score / np.minimum(seen / t.design.settled, 1.0))
        return Scored(found, np.concatenate(parts))


def _groups(bands: list[Rows], design: Design) -> Iterator[Rows]:
    """Yield the rows (n, d) of each group of signals on each scale; the last block is filled with zeros."""
    size = design.block_size
    filled = np.zeros((sum(map(len, bands)), design.bands, design.blocks * size), np.float32)
    filled[:, :, : design.signals] = np.concatenate(bands)
    groups = filled.reshape(len(filled), design.bands * design.blocks, size)
    return (groups[:, k] for k in range(groups.shape[1]))


def _unasked(design: Design) -> Iterator[str]:
    """Yield what a signal's own habit needs not: single features of it are never lost."""
    yield "precision"
    if not design.own_varies:
        yield "short"
        if not design.own_drifts:
            yield "pace"


def _named(name: str, habits: list[Habit], pace: float) -> Values:
    return {
        f"{name}_centre": np.stack([h.centre for h in habits]),
        f"{name}_whiten": np.stack([h.whiten for h in habits]),
        f"{name}_gain": np.array([h.gain for h in habits]),
        f"{name}_short": np.stack([h.short for h in habits]),
        f"{name}_precision": np.stack([h.precision for h in habits]),
        f"{name}_pace": pace,
    }
