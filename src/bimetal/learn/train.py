"""Train: from a history to the default detector's constants, for each device and for the fleet.

history ── usual values ── front part of the program ── habit ── whole program ── scores ── threshold
           (per device)         (on a target)       (of the fleet)                          (of the fleet)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bimetal.learn.calibrate import (
    FOLD,
    Budget,
    Drift,
    Threshold,
    begins,
    between,
    confidence_of,
    drift_for,
    threshold_for,
)
from bimetal.learn.card import Card, CardSignal
from bimetal.learn.dataset import History
from bimetal.learn.detector import DRIFT_BLOCK, Design, detector_program, input_names
from bimetal.learn.gate import usual_of_history
from bimetal.learn.kin import kin_of_history
from bimetal.learn.lesson import Teacher
from bimetal.learn.search import MCU_BYTES, Tier, design_for, left_out
from bimetal.learn.sense import Values
from bimetal.learn.unusual import Witness
from bimetal.learn.usual import Usual
from bimetal.nouns.device import FLEET
from bimetal.program.program import Program
from bimetal.targets.target import Target

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """A program with the parameter values of every device (FLEET: of all others), and its card."""

    program: Program
    values: Mapping[str, Values]
    card: Card
    threshold: Threshold


def train(
    history: History,
    budget: Budget,
    target: Target,
    period_s: float,
    progress: Progress,
    purpose: str = "",
    tier: Tier = Tier.MCU,
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
    kin = kin_of_history(history, usual)
    design = design_for(len(history.signals), typical, bool(kin), tier)
    names = input_names([s.name for s in history.signals])
    progress("learning", 0.0)
    chance = min(budget.per_second * period, 1.0)
    teacher = Teacher(design, names, typical, target, chance)
    whole = teacher.lesson(history, usual, teacher.own(history, usual, kin))
    progress("learning", 0.4)
    early = teacher.part(whole, history, 0, FOLD)
    progress("learning", 0.7)
    late = teacher.part(whole, history, 1 - FOLD, 1)
    progress("learning", 1.0)

    program, draft = detector_program(design, names)
    warm = design.warm_up
    scored = whole.scores(program, draft.values, history)
    known = [s[warm:] for s in scored.scores]
    progress("calibrating", 0.3)
    held_out = [s[int(len(s) * FOLD) :] for s in early.scores(program, draft.values, history).scores]
    progress("calibrating", 0.6)
    late_scores = late.scores(program, draft.values, history).scores
    held_out += [s[warm : int(len(s) * (1 - FOLD))] for s in late_scores]
    threshold = threshold_for(known, budget, period, held_out)
    drift = drift_for(known, held_out, threshold, period, DRIFT_BLOCK)
    learned = draft.values | whole.habit | {"threshold": threshold.value, "alarm_refill": chance}
    if design.lasting:
        learned |= {"mostly": np.clip(scored.mostly / threshold.value, 1e-6, 1e9)}
    learned |= {"drift_level": drift.level, "drift_patience": drift.patience}
    alarms = sum(begins(s, threshold.value) for s in known)
    # As with the threshold: what the history itself raises flatters, what is held out scolds.
    unseen = sum(begins(s, threshold.value) for s in held_out)
    rows = sum(map(len, known))
    most = max(alarms, between((alarms, unseen * rows / max(sum(map(len, held_out)), 1))))
    sure = confidence_of(most, rows * period * budget.per_second)
    values = {d: learned | v for d, v in whole.own.items()}
    witness = Witness(program, values, names, usual, target)
    standouts = witness.standouts(history, whole.devices, known, threshold.value)
    progress("calibrating", 1.0)
    promise = Promise(budget, threshold, drift, alarms, sure)
    card = _card(history, design, names, promise, period_s, purpose, usual)
    return Learned(program, values, replace(card, standouts=standouts), threshold)


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised, and how well founded that is: see Card."""

    budget: Budget
    threshold: Threshold
    drift: Drift
    alarms: int
    confidence: float


def _card(
    history: History,
    design: Design,
    names: tuple[str, ...],
    promise: Promise,
    period_s: float,
    purpose: str,
    usual: dict[str, list[Usual]],
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
        promise=str(promise.budget),
        promise_words=promise.threshold.words(),
        promise_confidence=promise.confidence,
        threshold=promise.threshold.value,
        seen_alarms=promise.alarms,
        drift_after_s=promise.drift.patience_s if promise.drift.tested else 0.0,
        warm_up_rows=design.warm_up,
        usual=usual,
        limits=tuple(_limits(history, design, promise, period_s, usual)),
    )


def _limits(
    history: History,
    design: Design,
    promise: Promise,
    period_s: float,
    usual: dict[str, list[Usual]],
) -> list[str]:
    """Say what this model cannot do, in sentences."""
    found = ["it knows only what the history shows: a way of running never seen looks unusual"]
    if promise.threshold.extrapolated:
        found.append(f"the promise of {promise.budget} is {promise.threshold.words()}")
    if not promise.drift.tested:
        found.append("the history is too short to notice later that what is usual has changed")
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
    if left_out(design):
        found.append(
            f"so that the state of {design.signals} signals fits a microcontroller ({MCU_BYTES:,} bytes), "
            f"{', '.join(left_out(design))}; --tier server has all of it"
        )
    if design.blocks > 1:
        found.append(
            f"with {design.signals} signals, relations are learned within blocks of "
            f"{design.block_size} neighbours only"
        )
    return found
