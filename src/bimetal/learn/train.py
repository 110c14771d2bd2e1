"""Train: from a history to the default detector's constants, for each device and for the fleet.

history ── usual values ── front part of the program ── habit ── whole program ── scores ── threshold
           (per device)         (on a target)       (of the fleet)                          (of the fleet)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bimetal.learn.calibrate import FOLD, Budget, Threshold, threshold_for
from bimetal.learn.card import Card, CardSignal
from bimetal.learn.dataset import History
from bimetal.learn.detector import Design, detector_program, input_names
from bimetal.learn.gate import gated, usual_of_history
from bimetal.learn.learners.covariance import RIDGE_OWN, RIDGE_TOGETHER, Habit, fit_habit
from bimetal.learn.search import design_for
from bimetal.learn.sense import Floats, Rows, Sensed, Values, run, sense
from bimetal.learn.usual import Usual
from bimetal.nouns.device import FLEET
from bimetal.program.program import Program
from bimetal.targets.target import Target

Progress = Callable[[str, float], None]

_FASTEST, _SLOWEST = 400, 5000


@dataclass(frozen=True, slots=True)
class Learned:
    """A program with the parameter values of every device (FLEET: of all others), and its card."""

    program: Program
    values: Mapping[str, Values]
    card: Card
    threshold: Threshold


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What is learned from: stretches of rows, each with its device's parameters and what was sensed."""

    design: Design
    names: tuple[str, ...]
    stretches: list[tuple[Values, Floats]]
    sensed: list[Sensed]
    typical_rows: float
    target: Target

    def habit(self, first: float = 0.0, last: float = 1.0) -> Values:
        """Learn the fleet's habit from this part of every stretch."""

        def part(rows: Rows) -> Rows:
            return rows[int(len(rows) * first) : max(int(len(rows) * last), 2)]

        features = [part(s.features) for s in self.sensed]
        return _habit(features, [part(s.bands) for s in self.sensed], self.design, self.typical_rows)

    def scores(self, program: Program, learned: Values) -> list[Floats]:
        """Return every stretch's raw scores, as if the averages had been settled from the beginning."""
        found: list[Floats] = []
        for usual, rows in self.stretches:
            parts = run(program, learned | usual, self.names, rows, self.target)
            score = np.concatenate([out["score"].astype(np.float64) for out in parts])
            seen = np.arange(1, len(score) + 1)
            found.append(score / np.minimum(seen / self.design.settled, 1.0))
        return found


def train(
    history: History, budget: Budget, target: Target, period_s: float, progress: Progress, purpose: str = ""
) -> Learned:
    """Learn what is usual in a history, and the threshold that keeps the budget.

    `period_s` is the time between readings of a device, 0 when unknown. Features are computed by the
    program's own front part on `target`. `progress` is told the stage and the part of it that is done;
    whatever it raises ends the training. Raises BadInput when there is too little to learn from.
    """
    history.check()
    period = period_s if period_s > 0 else 1.0
    progress("reading", 1.0)
    usual = usual_of_history(history)
    taught = [d for d in history.devices if d in usual] or list(history.devices)
    typical = int(np.median([len(history.values(d)) for d in taught]))
    design = design_for(len(history.signals), typical)
    names = input_names([s.name for s in history.signals])
    progress("learning", 0.0)
    chance = min(budget.per_second * period, 1.0)
    own = gated(history, design, names, usual, target, chance)
    stretches = [(own[d], s) for d in taught for s in history.stretches(d)]
    lesson = _Lesson(design, names, stretches, sense(design, names, stretches, target), typical, target)
    progress("learning", 0.4)
    whole, early, late = lesson.habit(), lesson.habit(last=FOLD), lesson.habit(first=1 - FOLD)
    progress("learning", 1.0)

    program, draft = detector_program(design, names)
    warm = design.warm_up
    known = [s[warm:] for s in lesson.scores(program, draft.values | whole)]
    progress("calibrating", 0.3)
    held_out = [s[int(len(s) * FOLD) :] for s in lesson.scores(program, draft.values | early)]
    progress("calibrating", 0.6)
    held_out += [s[warm : int(len(s) * (1 - FOLD))] for s in lesson.scores(program, draft.values | late)]
    threshold = threshold_for(known, budget, period, held_out)
    learned = draft.values | whole | {"threshold": threshold.value, "alarm_refill": chance}
    alarms = sum(_begins(s / threshold.value) for s in known)
    progress("calibrating", 1.0)
    card = _card(history, design, names, budget, threshold, period_s, purpose, usual, alarms)
    return Learned(program, {d: learned | v for d, v in own.items()}, card, threshold)


def _habit(features: list[Rows], bands: list[Rows], design: Design, typical_rows: float) -> Values:
    alone = range(design.signals)
    own = [fit_habit(np.concatenate([f[:, k] for f in features]), RIDGE_OWN) for k in alone]
    values = _named("own", own, 1 / min(max(typical_rows, _FASTEST), _SLOWEST))
    del values["own_precision"]
    if design.blocks:
        size = design.block_size
        filled = np.zeros((sum(map(len, bands)), design.bands, design.blocks * size), np.float32)
        filled[:, :, : design.signals] = np.concatenate(bands)
        groups = filled.reshape(len(filled), design.bands * design.blocks, size)
        together = [fit_habit(groups[:, k], RIDGE_TOGETHER) for k in range(groups.shape[1])]
        values |= _named("together", together, 1 / (5 * max(typical_rows, _FASTEST)))
    return values


def _named(name: str, habits: list[Habit], pace: float) -> Values:
    return {
        f"{name}_centre": np.stack([h.centre for h in habits]),
        f"{name}_whiten": np.stack([h.whiten for h in habits]),
        f"{name}_gain": np.array([h.gain for h in habits]),
        f"{name}_precision": np.stack([h.precision for h in habits]),
        f"{name}_pace": pace,
    }


def _begins(score: Floats) -> int:
    """How often a score rises to its threshold."""
    return int(np.count_nonzero(np.diff((score >= 1).astype(np.int8), prepend=0) == 1))


def _card(
    history: History,
    design: Design,
    names: tuple[str, ...],
    budget: Budget,
    threshold: Threshold,
    period_s: float,
    purpose: str,
    usual: dict[str, list[Usual]],
    alarms: int,
) -> Card:
    signals = tuple(
        CardSignal(s.name, s.unit, s.quantity, n, s.missing)
        for s, n in zip(history.signals, names, strict=True)
    )
    left = history.rows_seen - history.rows_bad - history.rows
    return Card(
        purpose=purpose or "anomaly detection",
        signals=signals,
        devices=history.devices,
        rows=history.rows,
        rows_left_out=history.rows_bad,
        rows_thinned=left,
        first_ns=history.first_ns or 0,
        last_ns=history.last_ns or 0,
        period_s=period_s,
        promise=str(budget),
        promise_words=threshold.words(),
        threshold=threshold.value,
        seen_alarms=alarms,
        warm_up_rows=design.warm_up,
        usual=usual,
        limits=tuple(_limits(history, design, budget, threshold, period_s, usual)),
    )


def _limits(
    history: History,
    design: Design,
    budget: Budget,
    threshold: Threshold,
    period_s: float,
    usual: dict[str, list[Usual]],
) -> list[str]:
    """Say what this model cannot do, in sentences."""
    found = ["it knows only what the history shows: a way of running never seen looks unusual"]
    if threshold.extrapolated:
        found.append(f"the promise of {budget} is {threshold.words()}")
    if not period_s > 0:
        found.append("the time between readings is unknown and was taken for one second")
    few = [d for d in history.devices if d not in usual]
    if few:
        found.append(f"{len(few)} devices had too few rows and use what the fleet taught, {few[0]} for one")
    still = [s.name for s, u in zip(history.signals, usual[FLEET], strict=True) if u.low == u.high]
    if still:
        found.append(f"never moved in the history, so that any move is unusual: {', '.join(still[:8])}")
    coarse = [
        s.name
        for s, u in zip(history.signals, usual[FLEET], strict=True)
        if abs(u.location) > u.scale * 2.0**20
    ]
    if coarse:
        found.append(f"vary less than single precision can tell beside their size: {', '.join(coarse[:8])}")
    if design.blocks > 1:
        found.append(
            f"with {design.signals} signals, relations are learned within blocks of "
            f"{design.block_size} neighbours only"
        )
    return found
