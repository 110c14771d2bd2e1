"""Usual: where each signal of a device usually lies, and how long it is usually still or silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.signal import Signal

Floats = NDArray[np.float64]

NEVER = 2**24
"""A run of this many readings is never seen: the check is off."""
ABSURD = 1000.0
"""Beyond the range seen by this many times its width, a value is no measurement."""
LARGEST = 3e38


@dataclass(frozen=True, slots=True)
class Usual:
    """One signal of one device: location and scale, usual range, and limits of a sound sensor.

    `low`..`high` is the middle 99 % of the values, in the signal's unit; a value outside
    `least`..`most` is no measurement; the sensor is stuck after `stuck_rows` equal readings, gone
    after `gone_rows` missing ones. NEVER switches a check off.
    """

    location: float
    scale: float
    low: float
    high: float
    least: float = -LARGEST
    most: float = LARGEST
    stuck_rows: int = NEVER
    gone_rows: int = NEVER


def usual_of(values: Floats, signals: Sequence[Signal]) -> list[Usual]:
    """Return what is usual for the columns of (n, s), NaN where a reading is missing."""
    return [_of_column(values[:, k], signal) for k, signal in enumerate(signals)]


def fleet_of(devices: Sequence[list[Usual]], everything: Floats, signals: Sequence[Signal]) -> list[Usual]:
    """Return what to expect of a device never met: the ranges of all, the patience of the most patient."""
    found: list[Usual] = []
    for k, whole in enumerate(usual_of(everything, signals)):
        ones = [device[k] for device in devices]
        found.append(
            Usual(
                whole.location,
                whole.scale,
                whole.low,
                whole.high,
                min(u.least for u in ones),
                max(u.most for u in ones),
                max(u.stuck_rows for u in ones),
                max(u.gone_rows for u in ones),
            )
        )
    return found


def values_of(usual: Sequence[Usual]) -> dict[str, Any]:
    """Return it as the detector's parameters of one device."""
    return {
        "usual_location": np.array([u.location for u in usual]),
        "usual_scale": np.array([u.scale for u in usual]),
        "sensor_low": np.array([u.least for u in usual]),
        "sensor_high": np.array([u.most for u in usual]),
        "sensor_stuck_after": np.array([u.stuck_rows for u in usual]),
        "sensor_gone_after": np.array([u.gone_rows for u in usual]),
    }


def _of_column(column: Floats, signal: Signal) -> Usual:
    known = column[np.isfinite(column) & (np.abs(column) < LARGEST)]
    known = known[(signal.low <= known) & (known <= signal.high)]
    gone = min(max(8, 3 * _longest_gap(column)), NEVER)
    if not len(known):
        return Usual(0.0, 1.0, 0.0, 0.0, gone_rows=gone)
    location, scale = _location_and_scale(known)
    low, high = np.quantile(known, (0.005, 0.995))
    least, most = _believable(known, signal)
    return Usual(location, scale, float(low), float(high), least, most, _stuck_rows(known), gone)


def _location_and_scale(known: Floats) -> tuple[float, float]:
    """The median, and the standard deviation with the farthest values drawn in, or a wide quantile range.

    A robust scale would call a machine that is mostly idle mad whenever it works; so it only guards
    against values that are farther out than ten times what quantiles suggest, and a signal with rare
    peaks is measured by them: in a Gaussian the range of 99.8 % is 6.2 standard deviations. A signal
    that never moved gets 1 % of its size, and never less than f32 can tell apart.
    """
    middle = float(np.median(known))
    q01, q05, q95, q99 = np.quantile(known, (0.01, 0.05, 0.95, 0.99))
    width = max(1.4826 * float(np.median(np.abs(known - middle))), (q95 - q05) / 3.29, (q99 - q01) / 4.65)
    near = np.clip(known, middle - 10 * width, middle + 10 * width) if width > 0 else known
    lowest, highest = np.quantile(known, (0.001, 0.999))
    scale = max(float(near.std()), min(float(highest - lowest) / 6.2, 10 * width))
    if not scale > abs(middle) * 1e-6 + 1e-25:
        scale = max(abs(middle) * 1e-2, 1e-3)
    return middle, min(scale, 1e37)


def _believable(known: Floats, signal: Signal) -> tuple[float, float]:
    """What the sensor can say by its own data sheet, else what is not absurd beside the history."""
    least, most = float(known.min()), float(known.max())
    wide = ABSURD * (most - least)
    low = signal.low if np.isfinite(signal.low) else least - wide if wide > 0 else -LARGEST
    high = signal.high if np.isfinite(signal.high) else most + wide if wide > 0 else LARGEST
    return max(low, -LARGEST), min(high, LARGEST)


def _stuck_rows(known: Floats) -> int:
    """Three times the longest stillness seen; a signal that hardly ever moves may stay as it is."""
    change = np.flatnonzero(np.diff(known.astype(np.float32)) != 0)
    if len(change) < 2:
        return NEVER
    longest = int(np.diff(np.concatenate([[-1], change, [len(known) - 1]])).max())
    return min(max(16, 3 * longest), NEVER) if longest < len(known) / 4 else NEVER


def _longest_gap(column: Floats) -> int:
    here = np.flatnonzero(~np.isnan(column))
    if not len(here):
        return NEVER
    return int(np.diff(np.concatenate([[-1], here, [len(column)]])).max()) - 1
