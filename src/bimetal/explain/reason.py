"""Reason: from a program's shares to what a person reads: signal, share, value, usual range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.explain.sentence import sentence_of
from bimetal.nouns.event import Cause, Event, Kind, Reason
from bimetal.nouns.signal import Signal

LEAST_SHARE = 0.01
MOST_REASONS = 8
Ranges = Sequence[tuple[float, float]]


def explain(
    device: str,
    time_ns: int,
    signals: Sequence[Signal],
    usual: Ranges,
    values: NDArray[np.float64],
    score: float,
    share: NDArray[np.float32],
    fault: NDArray[np.int32],
    since_ns: int,
) -> Event:
    """Return the event of one row; shapes for s signals: values, share, fault (s,), usual s pairs.

    The cause is the sensor when a sensor at fault has the largest part, or nothing else has any.
    Reasons come with the largest share first; small ones are left out.
    """
    parts = np.where(np.isfinite(share), share, 0.0).astype(np.float64)
    faulty = fault != 0
    cause = Cause.SENSOR if faulty.any() and not parts[~faulty].max(initial=0.0) > 0.5 else Cause.PROCESS
    order = np.argsort(-(parts + 2.0 * (faulty & (cause is Cause.SENSOR))), kind="stable")
    reasons = tuple(
        _reason(signals[k], float(parts[k]), float(values[k]), usual[k])
        for k in _places(order)
        if parts[k] >= LEAST_SHARE or (faulty[k] and cause is Cause.SENSOR)
    )[:MOST_REASONS]
    first = int(order[0]) if len(order) else 0
    sentence = sentence_of(device, reasons, cause, int(fault[first]) if len(fault) else 0)
    return Event(Kind.ALARM, device, time_ns, score, True, cause, reasons, sentence, since_ns)


def _places(order: NDArray[np.intp]) -> list[int]:
    return [int(k) for k in order]


def _reason(signal: Signal, share: float, value: float, usual: tuple[float, float]) -> Reason:
    low, high = usual
    return Reason(signal.name, share, value, low, high, signal.unit)
