"""Gate: from healthy readings to the limits of the quality gate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.dataset import History
from bimetal.learn.detector import Design
from bimetal.learn.kin import Kin
from bimetal.learn.sense import Values, figures_of
from bimetal.learn.usual import Usual, fleet_of, usual_of, values_of
from bimetal.nouns.device import FLEET
from bimetal.nouns.signal import Signal
from bimetal.program.operators.quality_gate import BROKEN, CONVERSIONS, NEVER
from bimetal.targets.target import Target

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]

DECADES = 2.0
"""Limits lie where the tail, followed at least so many decades beyond one reading in a thousand, would be."""
FARTHEST_DECADES = 6.0
SLACK = 1.25
FEW_ROWS = 32
"""A device with fewer rows is taken for one never met."""
ENOUGH_ROWS = 256
"""With fewer rows of its own a device takes the limits of the fleet."""
FEW_SLACK = 1.4
SOME_ROWS = 600
"""So much farther out jumps are told of a device with fewer rows of its own than that."""
MANY_ROWS = 4000
"""With so many a tail can be told from its own rows alone."""
DECIMAL = ((1000.0, 0.0), (1e-3, 0.0), (1.8, 32.0), (1 / 1.8, -32 / 1.8))
"""What befalls a signal of unknown unit: milli and kilo, Celsius and Fahrenheit."""
CHANGES = (
    (("Cel",), ((1.8, 32.0), (1.0, 273.15), (10.0, 0.0), (0.1, 0.0))),
    (("[degF]",), ((1 / 1.8, -32 / 1.8), (1 / 1.8, 459.67 / 1.8), (10.0, 0.0), (0.1, 0.0))),
    (("K",), ((1.0, -273.15), (1.8, -459.67), (10.0, 0.0), (0.1, 0.0))),
    (("bar",), ((14.503774, 0.0), (100.0, 0.0), (0.1, 0.0), (1000.0, 0.0))),
    (("kPa",), ((0.14503774, 0.0), (0.01, 0.0), (1000.0, 0.0), (1e-3, 0.0))),
    (("[psi]",), ((6.894757, 0.0), (1 / 14.503774, 0.0), (6894.757, 0.0), (1000.0, 0.0))),
    (("m/s",), ((3.6, 0.0), (1 / 0.44704, 0.0), (1000.0, 0.0), (1 / 0.3048, 0.0))),
    (("km/h",), ((1 / 3.6, 0.0), (1 / 1.609344, 0.0), (1000.0, 0.0), (1e-3, 0.0))),
    (("mm/s", "mm"), ((1 / 25.4, 0.0), (1e-3, 0.0), (1000.0, 0.0), (0.1, 0.0))),
    (("m",), ((1 / 0.3048, 0.0), (1000.0, 0.0), (100.0, 0.0), (1e-3, 0.0))),
    (("%",), ((0.01, 0.0), (100.0, 0.0), (10.0, 0.0), (0.1, 0.0))),
)
"""By the unit a signal should have, what its readings become when they come in another: factor and offset."""
_LEAST_ROWS = 24


def open_gate(usual: Sequence[Usual], kin: Kin, signals: Sequence[Signal]) -> dict[str, Any]:
    """Return a gate's parameters with limits that nothing reaches."""
    location = np.array([u.location for u in usual])
    scale = np.array([u.scale for u in usual])
    shut = np.full(len(usual), NEVER)
    return {
        "quality_jump": shut,
        "quality_rough": shut,
        "quality_fast": shut,
        "quality_slow": shut,
        "quality_broken": np.full(len(usual), BROKEN),
        "quality_middle": np.zeros(len(usual)),
        "quality_reach": shut,
        "quality_unit_known": np.array([bool(s.unit) for s in signals]),
        "quality_origin": np.clip(location / scale, -1e9, 1e9),
        **_conversions(location, scale, signals),
        **kin.values,
    }


def _conversions(location: Floats, scale: Floats, signals: Sequence[Signal]) -> dict[str, Any]:
    """Undo each change of unit in standard scales: (x - b) / a of x = location + scale z, a row for each."""
    factor = np.ones((CONVERSIONS, len(signals)))
    shift = np.full((CONVERSIONS, len(signals)), NEVER)
    for k, signal in enumerate(signals):
        for row, (a, b) in enumerate(changes_of(signal.unit)):
            factor[row, k] = 1 / a
            shift[row, k] = (location[k] * (1 / a - 1) - b / a) / scale[k]
    return {"quality_factor": factor, "quality_shift": np.clip(shift, -NEVER, NEVER)}


def changes_of(unit: str) -> tuple[tuple[float, float], ...]:
    """Return the mistakes of unit that may befall a signal: factor and offset of each, at most four."""
    for units, changes in CHANGES:
        if unit in units:
            return changes
    return DECIMAL


def limits_of(figures: Rows, values: Rows, shut: Mapping[str, Any], decades: float) -> dict[str, Any]:
    """Return the gate's parameters from its own figures (n, 5, s) over healthy readings values (n, s).

    `values` are standardised. Each limit is where the tail of the figure lies once in 100,000 readings, if it
    goes on as exponentially as from one in a hundred to one in a thousand (Hill's view of a light tail).
    """
    if len(figures) < _LEAST_ROWS:
        return dict(shut)
    jump, rough, fast, slow = (figures[_LEAST_ROWS:, k].astype(np.float64) for k in range(4))
    middle = np.median(fast, axis=0)
    known = np.where(np.isnan(values).all(axis=0), 0.0, values)
    bottom, low, high, top = np.nanquantile(known, (0, 0.0005, 0.9995, 1), axis=0)
    centre = (low + high) / 2
    # Of a signal that mostly stands still, rare moves say nothing of their tail: it may do what it ever did.
    still = np.mean(np.diff(known, axis=0) == 0, axis=0) > 0.5
    span = np.where(still, SLACK * (top - bottom), 0.0)
    found = {
        "jump": np.maximum(_tail(jump, decades), np.maximum(span, 0.5)),
        "rough": np.maximum(1.3 * _tail(rough, decades), 0.5 * span),
        "fast": _tail(np.abs(fast - middle), decades),
        "slow": _tail(np.abs(slow - middle), decades),
        "reach": 1.05 * np.maximum(np.maximum(top - centre, centre - bottom), 0.5),
    }
    limits = {f"quality_{name}": np.where(top > bottom, limit, NEVER) for name, limit in found.items()}
    broken = np.maximum(SLACK * figures[:, 4].max(axis=0), BROKEN)
    return (
        dict(shut)
        | limits
        | {"quality_middle": middle, "quality_broken": broken, "quality_centre": np.nan_to_num(centre)}
    )


def fleet_limits(fleet: Mapping[str, Any], shut: Mapping[str, Any]) -> dict[str, Any]:
    """Return a device's open gate with the limits of the fleet, which are in standard scales too."""
    limits = ("jump", "rough", "fast", "slow", "middle", "broken", "centre", "reach")
    return dict(shut) | {f"quality_{name}": fleet[f"quality_{name}"] for name in limits}


def gated(
    history: History,
    design: Design,
    names: tuple[str, ...],
    known: Mapping[str, list[Usual]],
    kin: Kin,
    target: Target,
    chance: float,
) -> dict[str, Values]:
    """Return every device's parameters of what is usual, with the limits of its quality gate.

    `chance` is the promised rate of false alarms to a reading. A device with fewer than 256 rows has the
    limits of the fleet. The gate's own figures are computed by the program's front part on `target`.
    """
    usual = {d: known.get(d) or known[FLEET] for d in (*history.devices, FLEET)}
    shut = {d: values_of(u) | open_gate(u, kin, history.signals) for d, u in usual.items()}
    found: dict[str, tuple[Rows, Rows]] = {}
    for device in history.devices:
        stretches = [(shut[device], part) for part in history.stretches(device)]
        found[device] = figures_of(design, names, stretches, target)
    figures, values = (np.concatenate([found[d][k] for d in history.devices]) for k in (0, 1))
    decades = decades_of(chance, len(history.signals))
    fleet = limits_of(figures, values, shut[FLEET], decades)
    limits = {d: _own(found[d], shut[d], fleet, decades) for d in history.devices}
    return limits | {FLEET: fleet}


def _own(found: tuple[Rows, Rows], shut: Values, fleet: Values, decades: float) -> Values:
    """A device's limits, not below the fleet's unless it has many rows of its own."""
    if len(found[0]) < ENOUGH_ROWS:
        own = fleet_limits(fleet, shut)
        return own | {"quality_jump": np.minimum(FEW_SLACK * own["quality_jump"], NEVER)}
    own = limits_of(*found, shut, decades)
    if len(found[0]) < SOME_ROWS:
        own["quality_jump"] = np.minimum(FEW_SLACK * own["quality_jump"], NEVER)
    if len(found[0]) < MANY_ROWS:
        for name in ("jump", "rough", "fast", "slow", "broken", "reach"):
            own[f"quality_{name}"] = np.maximum(own[f"quality_{name}"], fleet[f"quality_{name}"])
    return own


def usual_of_history(history: History) -> dict[str, list[Usual]]:
    """Return what is usual for every device with enough rows, and for the fleet."""
    everything = [history.values(d) for d in history.devices]
    found = {
        d: usual_of(v, history.signals)
        for d, v in zip(history.devices, everything, strict=True)
        if len(v) >= FEW_ROWS
    }
    most = max(1, history.rows // 200_000)
    whole = np.concatenate([v[::most] for v in everything])
    ones = list(found.values()) or [usual_of(whole, history.signals)]
    return found | {FLEET: fleet_of(ones, whole, history.signals)}


def decades_of(chance: float, signals: int) -> float:
    """Return how far to follow the tails for a chance a reading that some signal is wrongly called faulty.

    All signals together then have the chance; never less far than DECADES.
    """
    return float(np.clip(math.log10(1e-3 * signals / max(chance, 1e-12)), DECADES, FARTHEST_DECADES))


def _tail(figure: Floats, decades: float) -> Floats:
    """Where the tail lies, if it goes on as from 1 in 100 to 1 in 1000; a heavy one is not followed so far:
    to no more than a quarter beyond the largest figure there was, and as much again for every decade."""
    near, far, most = np.quantile(figure, (0.99, 0.999, 1), axis=0)
    farthest = (1 + 0.25 * (decades - 1)) * most
    return np.clip(SLACK * np.minimum(far + decades * (far - near), farthest), 0.05, NEVER)
