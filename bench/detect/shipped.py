"""Shipped: the detector as `bimetal train` makes it and as `bimetal run` runs it."""

from __future__ import annotations

import time

import numpy as np

from bench.detect.rival import Said
from bench.detect.series import Series
from bimetal.learn.calibrate import Budget
from bimetal.learn.dataset import History
from bimetal.learn.search import Tier
from bimetal.learn.sense import rows_of
from bimetal.learn.train import train
from bimetal.nouns import Batch, Signal
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.targets.present import fastest


def batch_of(series: Series, rows: slice) -> Batch:
    """Return rows of a series as the readings of one device."""
    values = series.values[rows]
    signals = tuple(Signal(f"signal {k + 1}", period_s=series.period_s) for k in range(values.shape[1]))
    time_ns = (np.arange(len(values)) * round(series.period_s * 1e9)).astype(np.int64)
    return Batch(("device",), signals, time_ns, np.zeros(len(values), np.int32), values)


def shipped(series: Series, budget: Budget, period_s: float, tier: Tier = Tier.MCU) -> Said:
    """Learn from the first stretch, then run over everything, as it comes."""
    part = batch_of(series, slice(0, series.learn))
    history = History(part.signals)
    history.add(part)
    target = fastest()
    begin = time.perf_counter()
    learned = train(history, budget, target, period_s, lambda _stage, _part: None, tier=tier)
    learn_s = time.perf_counter() - begin
    program = learned.program
    running = target.load(program, pack(program, learned.values["device"]))
    rows = rows_of(program, tuple(i.name for i in program.inputs), series.values)
    begin = time.perf_counter()
    _, out, _ = running.run(initial_state(program), rows)
    run_s = time.perf_counter() - begin
    place = layout_of(program)
    share = out["share"].reshape(len(rows), -1)
    score, alarm = out["score"].astype(np.float64), out["alarm"] != 0
    return Said(score, alarm, share, place.state.size, place.params.size, learn_s, run_s)
