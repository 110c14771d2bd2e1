"""From histories as they come, short, dull, broken or shared, to a model that can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.calibrate import parse_budget
from bimetal.learn.dataset import History
from bimetal.learn.train import train
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Kind
from bimetal.packs.judge import judge
from bimetal.packs.machine.simulator import simulate
from bimetal.program.block import pack
from bimetal.spine import bundle_of, scorer_of
from bimetal.stream.scorer import DeviceState
from bimetal.targets.present import fastest
from tests.learn.given import begins, outputs, readings, taught


def auc(score: np.ndarray, bad: np.ndarray) -> float:
    """The chance that a faulty row scores above a healthy one."""
    rank = score.argsort().argsort()
    return float((rank[bad].mean() - (bad.sum() - 1) / 2) / (~bad).sum())


def with_faults(seed: int) -> tuple[np.ndarray, np.ndarray]:
    values, bad = readings(3000, seed), np.zeros(3000, bool)
    for at in range(500, 3000, 500):
        values[at : at + 40, 0] += 1.5
        bad[at : at + 40] = True
    return values, bad


def test_ten_rows_are_refused_in_words() -> None:
    with pytest.raises(BadInput, match="10 healthy rows are too few"):
        taught(("pump", readings(10)))


def test_the_same_history_gives_the_same_bytes() -> None:
    one, other = (taught(("pump", readings(500)), ("fan", readings(300, 4))) for _ in range(2))
    assert one.card == other.card
    assert {d: pack(one.program, v) for d, v in one.values.items()} == {
        d: pack(other.program, v) for d, v in other.values.items()
    }


@pytest.mark.parametrize("value", [0.0, 5.0, -1e6])
def test_a_history_that_never_moves_makes_a_model(value: float) -> None:
    learned = taught(("pump", np.full((300, 2), value)))
    assert any("never moved" in limit for limit in learned.card.limits)
    out = outputs(learned, np.full((400, 2), value))
    assert not out["alarm"].any()
    moved = np.full((400, 2), value)
    moved[200:, 0] += max(abs(value), 1.0)
    assert outputs(learned, moved)["alarm"][200:].any()


def test_signals_that_are_missing_throughout_are_left_alone() -> None:
    rows = readings(600)
    rows[:, 1] = np.nan
    learned = taught(("pump", rows))
    out = outputs(learned, rows)
    assert np.isfinite(out["score"]).all()
    assert not out["alarm"].any()


def test_a_history_full_of_faults_costs_little() -> None:
    clean = readings(3000, 1)
    spoiled = clean.copy()
    rng = np.random.default_rng(0)
    for at in rng.choice(2900, 12, replace=False):
        spoiled[at : at + 30, 0] += 1.5
    values, bad = with_faults(2)
    one, other = (auc(outputs(taught(("pump", h)), values)["score"], bad) for h in (clean, spoiled))
    assert one > 0.9
    assert other > one - 0.01


def test_signals_that_vanish_or_appear_raise_no_process_alarm() -> None:
    learned = taught(("pump", readings(2000)), budget="1/month")
    values = readings(800, 5)
    values[200:500, 1] = np.nan
    out = outputs(learned, values)
    assert not out["alarm"].any()
    assert out["fault"][300, 1]
    assert not out["fault"][510:, 1].any()


def test_a_faulty_sample_never_trains() -> None:
    learned = taught(("pump", readings(2000)), budget="1/month")
    values = readings(900, 6)
    broken = values.copy()
    broken[200:500, 0] = 3e38
    out, plain = outputs(learned, broken), outputs(learned, values)
    assert not out["alarm"].any()
    late = slice(760, None)
    np.testing.assert_allclose(out["score"][late], plain["score"][late], rtol=0.5, atol=0.2)


def test_devices_with_little_data_learn_from_the_fleet() -> None:
    many = [(f"pump {k}", readings(120, k)) for k in range(20)]
    learned = taught(*many, ("new", readings(20, 50)))
    assert any("too few rows" in limit for limit in learned.card.limits)
    fresh = readings(1500, 99)
    for device in ("pump 3", "new", "never met"):
        assert begins(outputs(learned, fresh, device)["alarm"]) <= 2
        spoiled = fresh.copy()
        spoiled[700:740, 0] += 3.0
        assert outputs(learned, spoiled, device)["alarm"][700:740].any()


@pytest.mark.slow
def test_a_hundred_devices_get_no_more_than_was_promised() -> None:
    devices = 100
    learned = taught(*((f"pump {k}", readings(1440, k)) for k in range(4)), budget="1/day")
    false = sum(begins(outputs(learned, readings(4320, 1000 + k), "")["alarm"]) for k in range(devices))
    assert false <= 3 * devices


@pytest.mark.parametrize("seed", [0, 6])
def test_every_fault_of_the_simulated_plant_is_found(seed: int) -> None:
    batch, truth = simulate("faults", 12, 150.0, 10.0, seed, learn_s=30.0)
    early = batch.time_ns < 30e9
    history = History(batch.signals)
    history.add(batch, ~early)
    learned = train(history, parse_budget("1/hour"), fastest(), 0.1, lambda _stage, _part: None)
    scorer = scorer_of(bundle_of(learned, 0, lambda _stage, _part: None), fastest())
    states: dict[str, DeviceState] = {}
    _, scored = scorer.advance(states, batch)
    verdict = judge(truth, scored.events)
    assert verdict.injected >= 6
    assert not verdict.missed
    assert len(verdict.false) <= 2
    begun = [
        (first.since_ns - one.start_ns) / 1e8
        for event in scored.events
        for one in truth
        if event.kind is Kind.ALARM and one.device == event.device
        if one.start_ns <= event.time_ns < one.end_ns
        for first in event.reasons[:1]
        if first.since_ns is not None
    ]
    assert len(begun) >= 6
    assert np.median(np.abs(begun)) <= 10  # readings, a second's worth
    assert min(begun) > -20
