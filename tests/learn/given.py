"""A small plant with known habits, for the tests of this room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.calibrate import parse_budget
from bimetal.learn.dataset import History
from bimetal.learn.sense import run
from bimetal.learn.train import Learned, train
from bimetal.nouns import Batch, Signal
from bimetal.targets.present import fastest

Floats = NDArray[np.float64]
PERIOD_S = 60.0


def readings(rows: int, seed: int = 0, signals: int = 2) -> Floats:
    """Signals that follow a common load, each with a little noise of its own."""
    rng = np.random.default_rng(seed)
    load = np.sin(np.arange(rows) / 15 + seed) + 0.1 * rng.standard_normal(rows)
    gain = np.linspace(1.0, 2.0, signals)
    return 20 + load[:, None] * gain + 0.1 * rng.standard_normal((rows, signals))


def batch_of(values: Floats, device: str = "pump", start: int = 0) -> Batch:
    """Readings (n, s) of one device as a batch."""
    signals = tuple(Signal(f"signal {k + 1}", period_s=PERIOD_S) for k in range(values.shape[1]))
    time_ns = (start + np.arange(len(values))) * int(PERIOD_S * 1e9)
    return Batch((device,), signals, time_ns.astype(np.int64), np.zeros(len(values), np.int32), values)


def history_of_devices(parts: Sequence[tuple[str, Floats]]) -> History:
    """A history of several devices."""
    history = History(batch_of(parts[0][1]).signals)
    for device, values in parts:
        history.add(batch_of(values, device))
    return history


def taught(*parts: tuple[str, Floats], budget: str = "1/day") -> Learned:
    """What is learned from these devices' readings."""
    history = history_of_devices(parts)
    return train(history, parse_budget(budget), fastest(), PERIOD_S, lambda _stage, _part: None)


def outputs(learned: Learned, values: Floats, device: str = "pump") -> NDArray[np.void]:
    """What the program puts out for readings of a device."""
    names = tuple(i.name for i in learned.program.inputs)
    block = learned.values.get(device) or learned.values[""]
    return np.concatenate(list(run(learned.program, block, names, values, fastest())))


def begins(alarm: NDArray[np.generic]) -> int:
    """How many alarms begin."""
    return int(np.count_nonzero(np.diff((alarm != 0).astype(np.int8), prepend=0) == 1))
