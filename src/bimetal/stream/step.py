"""Step: the rows of a batch device by device, and which devices go on in step, looked at all at once.

Nearly all rows come in order, one period after the other. For those nothing has to be waited for, put in
order or compared, and a fleet costs a few microseconds a device instead of a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch

UNKNOWN_NS = np.iinfo(np.int64).min
"""Stands for the last instant of a device that cannot be in step."""


@dataclass(frozen=True, slots=True)
class Lots:
    """The rows of a batch, those of device k from `start[k]` up to `end[k]`, in their order.

    Shapes, for n rows of d devices and s signals: `start`, `end` (d,), `time_ns` (n,), `values` (n, s).
    """

    devices: tuple[str, ...]
    start: NDArray[np.intp]
    end: NDArray[np.intp]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


def lots_of(batch: Batch, values: NDArray[np.float64]) -> Lots:
    """Return a batch device by device, by their index, with other columns (n, s) instead of its own."""
    turns = np.flatnonzero(np.diff(batch.device)) + 1
    order: NDArray[np.intp] | slice = slice(None)
    device = batch.device
    if (np.diff(device) < 0).any():
        order = np.argsort(device, kind="stable")
        device = device[order]
        turns = np.flatnonzero(np.diff(device)) + 1
    start = np.concatenate([np.zeros(min(1, len(device)), np.intp), turns])
    end = np.concatenate([turns, np.full(min(1, len(device)), len(device), np.intp)])
    which: list[int] = device[start].tolist()
    return Lots(tuple(batch.devices[k] for k in which), start, end, batch.time_ns[order], values[order])


def in_step(lots: Lots, last_ns: Sequence[int], gap_ns: float, until_ns: int) -> NDArray[np.bool_]:
    """Say of each device (d,) whether every row follows the one before it by more than 0 and at most a gap.

    `last_ns` (d,) is the instant before the first row, UNKNOWN_NS where there is none to go by; no row
    may be after `until_ns`.
    """
    if not len(lots.start):
        return np.zeros(0, bool)
    known = np.array(last_ns, np.int64)
    step = np.empty(len(lots.time_ns), np.int64)
    step[1:] = np.diff(lots.time_ns)
    unknown = known == UNKNOWN_NS
    step[lots.start] = np.where(unknown, 0, lots.time_ns[lots.start] - np.where(unknown, 0, known))
    good = (step > 0) & (step <= gap_ns) & (lots.time_ns <= until_ns)
    return np.logical_and.reduceat(good, lots.start)
