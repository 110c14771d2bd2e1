"""Train: from a history to the default detector's constants, one for each device and for the fleet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.calibrate import Budget, Threshold, threshold_for
from bimetal.learn.card import Card, CardSignal, Usual
from bimetal.learn.dataset import History
from bimetal.learn.detector import Design, detector_program, input_names, sensing_program
from bimetal.learn.learners.covariance import (
    RIDGE_OWN,
    RIDGE_TOGETHER,
    Habit,
    fit_habit,
    location_and_scale,
)
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.target import Target

Floats = NDArray[np.float64]
Values = dict[str, Any]
Progress = Callable[[str, float], None]
FLEET = ""
_HELD_OUT = 0.6
_NARROWEST_WARM_UP = 16


@dataclass(frozen=True, slots=True)
class Learned:
    """A program with the parameter values of every device ("" is the fleet), and its card."""

    program: Program
    values: Mapping[str, Values]
    card: Card
    threshold: Threshold


def train(
    history: History, budget: Budget, target: Target, period_s: float, progress: Progress, purpose: str = ""
) -> Learned:
    """Learn what is usual in a history, and the threshold that keeps the budget.

    `period_s` is the time between readings. Features are computed by the program's own front part on
    `target`. Raises BadInput when there is too little to learn from.
    """
    history.check()
    period_s = period_s or 1.0
    rows = min(len(history.values(d)) for d in history.devices)
    warm_up = min(48, max(_NARROWEST_WARM_UP, rows // 8))
    design = Design(len(history.signals), warm_up=warm_up)
    names = input_names([s.name for s in history.signals])
    usual = _usual_values(history)
    progress("learning", 0.05)
    early = _fit(_Sensed.over(history, design, names, usual, target, _HELD_OUT), design)
    progress("learning", 0.35)
    whole = _fit(_Sensed.over(history, design, names, usual, target, 1.0), design)
    progress("calibrating", 0.6)
    program, draft = detector_program(design, names)
    runs = _Scoring(program, draft.values, names, target)
    held_out = [
        s[int(len(s) * _HELD_OUT) :]
        for s in (runs.scores(history.values(d), usual[d] | early) for d in history.devices)
    ]
    progress("calibrating", 0.8)
    scores = [runs.scores(history.values(d), usual[d] | whole)[warm_up:] for d in history.devices]
    threshold = threshold_for(scores, budget, period_s, held_out)
    fade = float(np.exp(-max(budget.per_second * period_s, 1e-9)))
    learned = whole | {"threshold": threshold.value, "alarm_fade": fade}
    values = {d: draft.values | usual[d] | learned for d in (*history.devices, FLEET)}
    progress("calibrating", 1.0)
    return Learned(
        program, values, _card(history, design, names, budget, threshold, period_s, purpose), threshold
    )


def _usual_values(history: History) -> dict[str, Values]:
    found = {d: _of_device(history.values(d)) for d in history.devices}
    everything = np.concatenate([_thinned(history.values(d)) for d in history.devices])
    return found | {
        FLEET: _of_device(everything) | {"sensor_stuck_after": _most(found, "sensor_stuck_after")}
    }


def _most(found: Mapping[str, Values], name: str) -> NDArray[np.int64]:
    return np.max([v[name] for v in found.values()], axis=0)


def _thinned(values: Floats) -> Floats:
    return values[:: max(1, len(values) // 20_000)]


def _of_device(values: Floats) -> Values:
    location, scale = location_and_scale(values)
    runs = [_longest_run(values[:, k]) for k in range(values.shape[1])]
    gaps = [_longest_gap(values[:, k]) for k in range(values.shape[1])]
    return {
        "usual_location": location,
        "usual_scale": scale,
        "sensor_stuck_after": np.array([min(max(16, 3 * r), 2**24) for r in runs]),
        "sensor_gone_after": np.array([min(max(8, 3 * g), 2**24) for g in gaps]),
    }


def _longest_run(column: Floats) -> int:
    """The longest run of equal values; a signal that never moves may stay as it is for ever."""
    known = column[~np.isnan(column)]
    if not len(known) or (known == known[0]).all():
        return 2**23
    change = np.flatnonzero(np.diff(known) != 0)
    return int(np.diff(np.concatenate([[-1], change, [len(known) - 1]])).max())


def _longest_gap(column: Floats) -> int:
    missing = np.isnan(column)
    if missing.all():
        return 2**23
    here = np.flatnonzero(~missing)
    return int(np.diff(np.concatenate([[-1], here, [len(column)]])).max()) - 1


@dataclass(frozen=True, slots=True)
class _Sensed:
    """Features (n, s, f) and bands (n, b, s) of all devices, warm-up left out."""

    features: Floats
    bands: Floats

    @classmethod
    def over(
        cls,
        history: History,
        design: Design,
        names: tuple[str, ...],
        usual: Mapping[str, Values],
        target: Target,
        part: float,
    ) -> _Sensed:
        program, draft = sensing_program(design, names)
        features: list[Floats] = []
        bands: list[Floats] = []
        most = max(200, 400_000_000 // (design.signals * design.own_features * len(history.devices)))
        for device in history.devices:
            values = history.values(device)
            values = values[: max(int(len(values) * part), 2)][-max(most, 20_000) :]
            known = {k: v for k, v in usual[device].items() if k in draft.values}
            running = target.load(program, pack(program, draft.values | known))
            _, out, _ = running.run(initial_state(program), rows_of(program, names, values))
            kept = slice(min(design.warm_up, len(out) // 2), None, -(-len(out) // most))
            features.append(out["features"][kept].astype(np.float64))
            bands.append(out["bands"][kept].astype(np.float64))
        return cls(np.concatenate(features), np.concatenate(bands))


def _fit(sensed: _Sensed, design: Design) -> Values:
    rows = max(len(sensed.features), 1)
    own = [fit_habit(sensed.features[:, k], RIDGE_OWN) for k in range(design.signals)]
    values = _named("own", own, 1 / max(400, rows))
    if design.blocks:
        size = design.block_size
        filled = np.zeros((len(sensed.bands), design.bands, design.blocks * size))
        filled[:, :, : design.signals] = sensed.bands
        groups = filled.reshape(len(filled), design.bands * design.blocks, size)
        together = [fit_habit(groups[:, k], RIDGE_TOGETHER) for k in range(groups.shape[1])]
        values |= _named("together", together, 1 / max(2000, 5 * rows))
    return values


def _named(name: str, habits: list[Habit], pace: float) -> Values:
    return {
        f"{name}_centre": np.stack([h.centre for h in habits]),
        f"{name}_whiten": np.stack([h.whiten for h in habits]),
        f"{name}_gain": np.array([h.gain for h in habits]),
        f"{name}_precision": np.stack([h.precision for h in habits]),
        f"{name}_pace": pace,
    }


@dataclass(frozen=True, slots=True)
class _Scoring:
    program: Program
    start: Values
    names: tuple[str, ...]
    target: Target

    def scores(self, values: Floats, learned: Values) -> Floats:
        running = self.target.load(self.program, pack(self.program, self.start | learned))
        _, out, _ = running.run(initial_state(self.program), rows_of(self.program, self.names, values))
        return out["score"].astype(np.float64)


def rows_of(program: Program, names: tuple[str, ...], values: Floats) -> NDArray[Any]:
    """Return readings (n, s) as the rows a program takes."""
    rows = np.zeros(len(values), layout_of(program).input.dtype)
    with np.errstate(over="ignore"):
        for k, name in enumerate(names):
            rows[name] = values[:, k]
    return rows


def _card(
    history: History,
    design: Design,
    names: tuple[str, ...],
    budget: Budget,
    threshold: Threshold,
    period_s: float,
    purpose: str,
) -> Card:
    usual = {d: _ranges(history.values(d)) for d in history.devices}
    usual[FLEET] = _ranges(np.concatenate([_thinned(history.values(d)) for d in history.devices]))
    limits = ["knows only what the history shows: a regime never seen looks unusual"]
    if threshold.extrapolated:
        limits.append(f"the promise of {budget} is {threshold.words()}")
    return Card(
        purpose=purpose or "anomaly detection",
        signals=tuple(
            CardSignal(s.name, s.unit, s.quantity, n) for s, n in zip(history.signals, names, strict=True)
        ),
        devices=history.devices,
        rows=history.rows,
        rows_left_out=history.rows_bad,
        first_ns=history.first_ns or 0,
        last_ns=history.last_ns or 0,
        period_s=period_s,
        promise=str(budget),
        promise_words=threshold.words(),
        threshold=threshold.value,
        warm_up_rows=design.warm_up,
        usual=usual,
        limits=tuple(limits),
    )


def _ranges(values: Floats) -> list[Usual]:
    """The middle 99 % of each signal; 0..0 for one without values."""
    ranges: list[Usual] = []
    for k in range(values.shape[1]):
        known = values[~np.isnan(values[:, k]), k]
        low, high = np.quantile(known, (0.005, 0.995)) if len(known) else (0.0, 0.0)
        ranges.append(Usual(float(low), float(high)))
    return ranges
