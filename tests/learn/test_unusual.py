"""The most unusual moments of a history are named, with times and reasons; left out, they are not learned."""

from __future__ import annotations

import numpy as np

from bimetal.learn.calibrate import parse_budget
from bimetal.learn.leave import Leaving, Span
from bimetal.learn.standout import Standout
from bimetal.learn.train import Learned, train
from bimetal.learn.unusual import MOST, MOST_OF_DEVICE, Scores, unusual_of
from bimetal.targets.present import fastest
from tests.learn.given import PERIOD_S, batch_of, begins, history_of_devices, outputs, readings

FAULTS = (900, 1500, 2100)
LASTS = 40


def spoiled(rows: int = 3000) -> np.ndarray:
    values = readings(rows, 1)
    for at in FAULTS:
        values[at : at + LASTS, 1] += 2.5
    return values


def learned(values: np.ndarray, *spans: Span) -> Learned:
    history = history_of_devices([("pump", values[:1])])
    batch, leaving = batch_of(values[1:], start=1), Leaving(spans)
    history.add(batch, leaving.bad(batch, None))
    leaving.check()
    return train(history, parse_budget("1/day"), fastest(), PERIOD_S, lambda _stage, _part: None)


def overlap(moment: Standout, at: int) -> int:
    first, last = (round(ns / 1e9 / PERIOD_S) for ns in (moment.begin_ns, moment.end_ns))
    return min(last + 1, at + LASTS) - max(first, at)


def test_hidden_faults_are_named_and_found_again_once_they_are_left_out() -> None:
    dirty = learned(spoiled())
    moments = dirty.card.standouts
    assert 3 <= len(moments) <= MOST_OF_DEVICE
    assert [m.score for m in moments] == sorted((m.score for m in moments), reverse=True)
    named = [next(m for m in moments if overlap(m, at) > LASTS / 2) for at in FAULTS]
    assert {m.reasons[0].signal for m in named} == {"signal 2"}
    assert min(m.score for m in named) > max(m.rest for m in moments)
    clean = learned(spoiled(), *(Span(m.begin_ns, m.end_ns) for m in named))
    assert clean.threshold.value < dirty.threshold.value
    assert clean.card.rows_left_out >= 3 * LASTS / 2
    fresh = readings(1500, 7)
    fresh[700:740, 1] += 2.5
    before, after = (outputs(one, fresh)["alarm"] for one in (dirty, clean))
    assert begins(after[700:760]) >= begins(before[700:760])
    assert after[700:760].any()


def test_the_times_are_those_of_the_stretches_that_memory_kept() -> None:
    history = history_of_devices([("pump", readings(9 * 1024, 2))])
    history.most_rows = 4 * 1024
    history.add(batch_of(readings(5, 3), start=9 * 1024))
    for values, time_ns in zip(history.stretches("pump"), history.times("pump"), strict=True):
        assert len(values) == len(time_ns)
        whole = np.concatenate([readings(9 * 1024, 2), readings(5, 3)])
        assert np.array_equal(whole[(time_ns / 1e9 / PERIOD_S).astype(int)], values)


def test_one_moment_is_named_once_and_no_more_than_there_is_room_for() -> None:
    rng = np.random.default_rng(0)
    scores = []
    for k in range(6):
        score = rng.uniform(0.5, 1.0, 800)
        score[100 * k + 100 : 100 * k + 130] = 5.0 + k
        score[100 * k + 112] = 0.1  # a moment is not over at once
        scores.append(Scores(f"d{k}", k, np.arange(800, dtype=np.int64), score))
    found = unusual_of(scores, 2.0, lambda _number, _row: ())
    assert len(found) == MOST
    assert [(m.device, m.begin_ns, m.end_ns) for m in found[:6]] == [
        (f"d{k}", 100 * k + 100, 100 * k + 129) for k in range(5, -1, -1)
    ]
    assert found[0].score == 5.0
    assert found[0].rest <= 0.5
    assert not unusual_of([Scores("d", 0, np.arange(4), np.zeros(4))], 1.0, lambda _number, _row: ())
    assert not unusual_of([Scores("d", 0, np.arange(0), np.zeros(0))], 1.0, lambda _number, _row: ())
