"""Plant: as many readings of 2,000 series as are asked for, made quickly, of sensors with two decimals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bimetal.nouns import Batch, Signal

DEVICES = tuple(f"pump-{k:04}" for k in range(400))
SIGNALS = tuple(Signal(f"signal-{k}") for k in range(5))
PERIOD_NS = 10_000_000_000
START_NS = 1_767_225_600_000_000_000
TICK = len(DEVICES) * len(SIGNALS)
"""Readings of all devices at one instant."""


def batches(readings: int, ticks: int = 5) -> Iterator[Batch]:
    """Yield batches of `ticks` instants each until there are so many readings."""
    random = np.random.default_rng(0)
    usual = random.uniform(5, 80, (1, len(DEVICES), len(SIGNALS)))
    slow = np.zeros((len(DEVICES), len(SIGNALS)))
    device = np.tile(np.arange(len(DEVICES), dtype=np.int32), ticks)
    for first in range(0, readings // TICK, ticks):
        steps = random.normal(0, 0.03, (ticks, *slow.shape)).cumsum(axis=0) + 0.995 * slow
        slow = steps[-1]
        values = np.round(usual + steps + random.normal(0, 0.02, steps.shape), 2)
        times = START_NS + (first + np.arange(ticks, dtype=np.int64)) * PERIOD_NS
        yield Batch(
            DEVICES, SIGNALS, np.repeat(times, len(DEVICES)), device, values.reshape(-1, len(SIGNALS))
        )


def later(batch: Batch, ticks: int) -> Batch:
    """Return the same readings, so many instants later."""
    times = batch.time_ns + ticks * PERIOD_NS
    return Batch(batch.devices, batch.signals, times, batch.device, batch.values)
