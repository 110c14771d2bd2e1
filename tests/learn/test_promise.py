"""Devices that nothing happens to raise no more than was promised, and are not said to have changed."""

from __future__ import annotations

import numpy as np

from bench.promise import KINDS, RESERVE, Kind, taught, watched
from bimetal.learn.sense import run
from bimetal.nouns.device import FLEET
from bimetal.program.operators.drift_test import NEVER
from bimetal.targets.present import fastest

DEVICES = 8


def test_delivered_stays_within_what_was_promised_where_nothing_happens() -> None:
    for kind in KINDS[:3]:
        outcome = watched(kind, taught(kind, DEVICES, 4000, "1/day"), DEVICES, 8000, "1/day")
        # Poisson: twice the root of 44 alarms.
        assert outcome.delivered < 1 + 2 / np.sqrt(outcome.promised), kind.name
        assert outcome.above == 0
        assert outcome.drifted <= outcome.drift_allowed + 3


def test_the_budget_holds_back_what_goes_beyond_it_whatever_comes() -> None:
    calm = Kind("white", 1, 0.0, 1e6)
    learned = taught(calm, 1, 3000, "1/day")
    wild = np.where(np.arange(20_000) // 40 % 2 == 0, 1e3, 50.0)[:, None]
    names = tuple(i.name for i in learned.program.inputs)
    outputs = np.concatenate(list(run(learned.program, learned.values[FLEET], names, wild, fastest())))
    raised = int(np.count_nonzero(np.diff((outputs["alarm"] != 0).astype(np.int8), prepend=0) == 1))
    assert raised <= RESERVE + 20_000 / 1440 + 1


def test_a_change_that_stays_is_said_and_only_then() -> None:
    kind = KINDS[0]
    learned = taught(kind, 4, 6000, "1/day")
    assert learned.values[FLEET]["drift_level"] < NEVER
    assert learned.card.drift_after_s > 30 * 86_400
    assert 0.3 < learned.card.promise_confidence <= 1
    names = tuple(i.name for i in learned.program.inputs)
    values = kind.readings(12_000, 0, 1)
    changed = values.copy()
    changed[6000:] += 2.5 * values.std()
    block = learned.values["device 0"]
    same, other = (
        np.concatenate(list(run(learned.program, block, names, rows, fastest())))
        for rows in (values, changed)
    )
    assert not (same["drift"] != 0).any()
    first = int(np.flatnonzero(other["drift"] != 0)[0])
    assert 6000 < first < 6000 + 8 * 256
