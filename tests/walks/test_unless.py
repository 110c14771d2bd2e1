"""The limit an alarm names is true: on this side of it the same program is silent, beyond it it alarms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bimetal.learn.calibrate import parse_budget
from bimetal.learn.dataset import History
from bimetal.learn.train import train
from bimetal.nouns import Batch, Kind
from bimetal.nouns.event import Unless
from bimetal.packs.machine.simulator import simulate
from bimetal.spine import bundle_of, scorer_of
from bimetal.stream.scorer import Scorer
from bimetal.targets.present import fastest

LEARN_NS = 40 * 10**9


@pytest.fixture(scope="module")
def plant() -> tuple[Scorer, Batch]:
    """Four pumps, learned from their first forty seconds, and all of their readings."""
    batch, _ = simulate("faults", 4, 120.0, 10.0, 1, learn_s=40.0)
    early = batch.time_ns < LEARN_NS
    history = History(batch.signals)
    history.add(replace_rows(batch, np.flatnonzero(early)))
    learned = train(history, parse_budget("1/week"), fastest(), 0.1, lambda _stage, _part: None)
    return scorer_of(bundle_of(learned, 0, lambda _stage, _part: None), fastest()), batch


def replace_rows(batch: Batch, rows: np.ndarray) -> Batch:
    """Some rows of a batch."""
    return Batch(batch.devices, batch.signals, batch.time_ns[rows], batch.device[rows], batch.values[rows])


def alarms(scorer: Scorer, batch: Batch, device: str, time_ns: int, unless: Unless, value: float) -> bool:
    """Whether it alarms at a row whose first signal had another value."""
    rows = np.flatnonzero((batch.time_ns <= time_ns) & (batch.device == batch.devices.index(device)))
    values = batch.values[rows].copy()
    values[-1, [s.name for s in batch.signals].index(unless.signal)] = value
    changed = replace(replace_rows(batch, rows), values=values)
    return bool(scorer.advance({}, changed)[1].alarm[-1])


def test_the_limit_parts_silence_from_alarm_to_single_precision(plant: tuple[Scorer, Batch]) -> None:
    scorer, batch = plant
    events = scorer.advance({}, batch)[1].events
    told = [e for e in events if e.kind is Kind.ALARM and e.unless is not None]
    assert len(told) >= 2
    for event in told:
        unless = event.unless
        assert unless is not None
        limit = np.float32(unless.limit)
        ways = (np.float32(-np.inf), np.float32(np.inf))
        inside, beyond = (np.nextafter(limit, way) for way in (ways if unless.below else ways[::-1]))
        at = (scorer, batch, event.device, event.time_ns, unless)
        assert [alarms(*at, float(v)) for v in (inside, limit, beyond)] == [False, False, True]
        assert event.sentence.count("it would not alarm") == 1
