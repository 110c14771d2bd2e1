"""Promise: false alarms delivered for one promised, on devices whose readings all follow one law."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.detect.series import Series
from bench.detect.shipped import batch_of
from bimetal.learn.calibrate import parse_budget
from bimetal.learn.dataset import History
from bimetal.learn.sense import run
from bimetal.learn.train import Learned, train
from bimetal.targets.present import fastest

PROMISE_ROWS = 2016
PERIOD_S = 604_800 / PROMISE_ROWS

Floats = NDArray[np.float64]


def healthy(rows: int, seed: int) -> Floats:
    """Three signals: a daily load that wanders, seen twice with noise of light and heavy tails, and noise."""
    rng = np.random.default_rng(seed)
    wander, noise = np.zeros(rows), 0.1 * rng.standard_normal(rows)
    for t in range(1, rows):
        wander[t] = 0.95 * wander[t - 1] + noise[t]
    load = np.sin(2 * np.pi * (np.arange(rows) + rng.integers(288)) / 288) + wander
    tails = 0.1 * rng.standard_t(4, rows)
    return np.stack(
        [20 + load + 0.1 * rng.standard_normal(rows), 5 + 2 * load + tails, rng.standard_normal(rows)], 1
    )


def learned_from(parts: list[Floats]) -> Learned:
    """Learn from devices, with one false alarm promised in 2016 readings."""
    batches = [batch_of(Series("", p, np.zeros(len(p), np.int64), 0, PERIOD_S), slice(None)) for p in parts]
    history = History(batches[0].signals)
    for number, batch in enumerate(batches):
        history.add(replace(batch, devices=(f"device {number}",)))
    return train(history, parse_budget("1/week"), fastest(), PERIOD_S, lambda _stage, _part: None)


def alarms(learned: Learned, device: str, rows: Floats) -> int:
    """Count the alarms that begin."""
    names = tuple(i.name for i in learned.program.inputs)
    parts = run(learned.program, learned.values[device], names, rows, fastest())
    alarm = np.concatenate([out["alarm"] for out in parts]).astype(np.int8)
    return int(np.count_nonzero(np.diff(alarm, prepend=0) == 1))


def delivered(devices: int, learn: int = 20, alone: int = 20) -> Iterator[str]:
    """Yield lines: for a fleet that learned from some of its devices, and for devices that learned alone."""
    fleet = learned_from([healthy(PROMISE_ROWS, seed) for seed in range(learn)])
    found = [alarms(fleet, "", healthy(PROMISE_ROWS, 10_000 + seed)) for seed in range(devices)]
    yield f"promise: {np.mean(found):.2f} delivered for one promised, {devices} devices, {learn} learned from"
    single: list[float] = []
    for seed in range(alone):
        rows = healthy(5 * PROMISE_ROWS, 50_000 + seed)
        one = learned_from([rows[:PROMISE_ROWS]])
        single.append(alarms(one, "device 0", rows[PROMISE_ROWS:]) / 4)
    yield f"promise: {np.mean(single):.2f} delivered for one promised, {alone} devices that learned alone"
