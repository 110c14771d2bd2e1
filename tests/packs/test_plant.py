"""The plant: physics that hold together, numbers that repeat, faults that show and then are gone."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, NotFound
from bimetal.packs.machine import MachinePack, simulate
from bimetal.packs.machine.fault import KINDS, SIGNALS, Fault, plan_faults
from bimetal.packs.machine.plant import Plant
from bimetal.packs.truth import Truth

Rows = NDArray[np.float64]
SIZES = dict(zip(SIGNALS, (2.0, 44.0, 8.4, 3.7, 1_405.0), strict=True))


@functools.cache
def table(
    scenario: str, machines: int, seconds: float, seed: int, learn_s: float
) -> tuple[Rows, tuple[Truth, ...]]:
    """Simulate at 10 Hz; values as (row, machine, signal)."""
    batch, truth = simulate(scenario, machines, seconds, 10, seed, learn_s=learn_s)
    return batch.values.reshape(-1, machines, len(SIGNALS)), truth


def rows_of(truth: Truth) -> slice:
    """The rows of a fault at 10 Hz, from when it has grown."""
    return slice(round(truth.start_ns / 1e8) + 40, round(truth.end_ns / 1e8))


def machine_of(truth: Truth) -> int:
    return int(truth.device.removeprefix("pump-")) - 1


def unlikeliness(rows: Rows, learned: Rows) -> Rows:
    """How far each row lies from what was learned, signals together (Mahalanobis, squared root)."""
    centred = (rows - learned.mean(0)) / learned.std(0)
    inverse = np.linalg.inv(
        np.cov(((learned - learned.mean(0)) / learned.std(0)).T) + 0.01 * np.eye(len(SIGNALS))
    )
    return np.sqrt(np.einsum("ni,ij,nj->n", centred, inverse, centred))


def repeats(column: Rows) -> int:
    """The longest run of equal readings."""
    same = np.flatnonzero(np.diff(column) != 0)
    edges = np.concatenate([[-1], same, [len(column) - 1]])
    return int(np.diff(edges).max())


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, truth = simulate("faults", 5, 60, 10, 7)
    two, again = simulate("faults", 5, 60, 10, 7)
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.time_ns, two.time_ns)
    assert truth == again
    assert not np.array_equal(one.values, simulate("faults", 5, 60, 10, 8)[0].values)


@settings(max_examples=15)
@given(st.lists(st.floats(0, 12), min_size=1, max_size=8), st.integers(0, 5))
def test_however_it_is_advanced_the_numbers_are_the_same(times: list[float], seed: int) -> None:
    whole, _ = simulate("bearing_wear", 3, 30, 10, seed, learn_s=0)
    plant = Plant(plan_faults("bearing_wear", 3, 30, 0, seed), machines=3, seed=seed)
    parts = [plant.advance(t_s) for t_s in [*sorted(times), 29.9]]
    assert np.array_equal(np.concatenate([part.values for part in parts]), whole.values)
    assert np.array_equal(np.concatenate([part.time_ns for part in parts]), whole.time_ns)


def test_going_back_in_time_gives_nothing() -> None:
    plant = Plant(machines=2)
    assert len(plant.advance(1.0)) == 22
    assert len(plant.advance(0.5)) == 0
    assert len(plant.advance(1.0)) == 0
    assert len(plant.advance(1.1)) == 2


def test_a_machine_does_not_depend_on_its_neighbours() -> None:
    few, many = (simulate("healthy", machines, 30, 10, 3)[0] for machines in (2, 9))
    assert np.array_equal(few.values[few.device == 1], many.values[many.device == 1])


def test_a_batch_says_what_it_holds() -> None:
    batch, _ = simulate("healthy", 3, 2, 10, 0, start_ns=5_000)
    assert batch.devices == ("pump-01", "pump-02", "pump-03")
    assert [signal.label for signal in batch.signals] == [
        "vibration [mm/s]",
        "temperature [Cel]",
        "current [A]",
        "pressure [bar]",
        "speed [/min]",
    ]
    assert len(batch) == 60
    assert batch.time_ns[:4].tolist() == [5_000, 5_000, 5_000, 100_005_000]
    assert {signal.period_s for signal in batch.signals} == {0.1}


def test_the_signals_of_the_plant_are_those_of_its_manifest() -> None:
    declared = [entry.signal for entry in MachinePack().manifest().signals]
    for ours, theirs in zip(Plant(rate_hz=10).signals, declared, strict=True):
        assert (ours.name, ours.unit, ours.period_s) == (theirs.name, theirs.unit, theirs.period_s)
        assert (ours.low, ours.high) == (theirs.low, theirs.high)


@pytest.mark.parametrize("rate_hz", [0.1, 1.0, 10.0, 100.0])
def test_readings_are_plausible_at_any_rate(rate_hz: float) -> None:
    batch, _ = simulate("healthy", 6, max(30, 300 / rate_hz), rate_hz, 1)
    assert np.isfinite(batch.values).all()
    for column, signal in enumerate(batch.signals):
        values = batch.values[:, column]
        assert signal.low < values.min()
        assert values.max() < signal.high
        assert values.mean() == pytest.approx(SIZES[signal.name], rel=0.15)


def test_machines_differ_and_their_signals_go_together() -> None:
    values, _ = table("healthy", 8, 120, 2, 0)
    means = values.mean(0)
    assert (means.std(0) / means.mean(0) > 0.005).all()
    for machine in range(8):
        vibration, temperature, current, pressure, speed = values[:, machine].T
        assert np.corrcoef(speed, pressure)[0, 1] > 0.8
        assert np.corrcoef(speed, current)[0, 1] > 0.8
        assert np.corrcoef(speed, vibration)[0, 1] > 0.6
        lags = [np.corrcoef(current[: len(current) - lag], temperature[lag:])[0, 1] for lag in range(60)]
        assert 5 <= int(np.argmax(lags)) <= 40, "heat follows the load seconds later"
        assert max(lags) > 0.5


def test_days_pass_and_noise_has_a_colour() -> None:
    values, _ = table("healthy", 1, 400, 4, 0)
    speed = values[:, 0, 4] - values[:, 0, 4].mean()
    spectrum = np.abs(np.fft.rfft(speed))
    assert np.fft.rfftfreq(len(speed), 0.1)[spectrum.argmax()] == pytest.approx(0.1, abs=0.005)
    vibration = values[:, 0, 0]
    rest = vibration - np.polyval(np.polyfit(values[:, 0, 4], vibration, 1), values[:, 0, 4])
    assert np.corrcoef(rest[:-1], rest[1:])[0, 1] > 0.3


def test_a_healthy_plant_shows_no_fault() -> None:
    for seed in range(3):
        values, truth = table("healthy", 12, 120, seed, 0)
        assert truth == ()
        for machine in range(12):
            rows = values[:, machine]
            seconds = rows[:1200].reshape(-1, 10, len(SIGNALS)).mean(1)
            distance = unlikeliness(seconds, seconds[:60])
            assert np.median(distance[60:]) < 3.5
            assert max(repeats(column) for column in rows.T) <= 5
            jumps = np.abs(np.diff(rows, axis=0)).max(0) / rows.std(0)
            assert (jumps < 4).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_shows_where_the_truth_says_and_nowhere_else(kind: str) -> None:
    found = 0
    for seed in range(3):
        faulty, truth = table(kind, 6, 110, seed, 50)
        healthy, _ = table("healthy", 6, 110, seed, 50)
        changed = np.abs(faulty - healthy) > 0.011  # the last digit may turn on a rest of heat
        allowed = np.zeros(faulty.shape[:2], dtype=bool)
        for one in truth:
            begin, gone = round(one.start_ns / 1e8), round(one.settled_ns / 1e8)
            allowed[begin : gone + 100, machine_of(one)] = True
            touched = changed[rows_of(one), machine_of(one)].any(0)
            assert set(one.signals) <= {name for name, seen in zip(SIGNALS, touched, strict=True) if seen}
            found += 1
        assert not changed[~allowed].any()
        assert not changed[:580].any(), "clean while learning, and a while after"
    assert found >= 6


@pytest.mark.parametrize("kind", ["bearing_wear", "blocked_filter", "overheating", "current_imbalance"])
def test_a_process_fault_is_clear_but_not_absurd(kind: str) -> None:
    for seed in range(3):
        values, truth = table(kind, 6, 110, seed, 50)
        healthy, _ = table("healthy", 6, 110, seed, 50)
        for one in truth:
            rows = values[:, machine_of(one)]
            seconds = rows.reshape(-1, 10, len(SIGNALS)).mean(1)
            span = rows_of(one)
            faulty = unlikeliness(seconds, seconds[:50])[span.start // 10 + 1 : span.stop // 10]
            assert np.median(faulty) > 4
            moved = (rows[span] - healthy[span, machine_of(one)]).mean(0) / rows[:500].std(0)
            strongest = dict(zip(SIGNALS, np.abs(moved), strict=True))
            assert 1.5 < max(strongest[name] for name in one.signals) < 9
            assert max(strongest, key=lambda name: strongest[name]) in {*one.signals, "temperature"}


def test_a_blocked_filter_shows_in_how_signals_go_together() -> None:
    values, [one, *_] = table("blocked_filter", 6, 110, 0, 50)
    healthy, _ = table("healthy", 6, 110, 0, 50)
    span, machine = rows_of(one), machine_of(one)
    moved = values[span, machine].mean(0) - healthy[span, machine].mean(0)
    assert moved[SIGNALS.index("pressure")] < 0 < moved[SIGNALS.index("current")]
    assert moved[SIGNALS.index("speed")] == 0


@pytest.mark.parametrize("kind", ["overheating", "bearing_wear"])
def test_heat_takes_time_to_come_and_to_go(kind: str) -> None:
    fault = Fault(0, kind, 20.0, 32.0, 1.0, 0.0)
    sick, well = (Plant(faults, machines=1, seed=9).advance(60).values for faults in ([fault], []))
    warmer = (sick - well)[:, SIGNALS.index("temperature")]
    assert np.abs(warmer[:200]).max() == 0
    assert warmer[205] < 0.4 * warmer[310]
    assert warmer[325] > 0.4 * warmer[319]
    assert np.abs(warmer[440:]).max() < 0.15


def test_a_fault_grows_as_its_ramp_says() -> None:
    def extra(ramp_s: float) -> Rows:
        fault = Fault(0, "current_imbalance", 10.0, 30.0, 1.0, ramp_s)
        sick, well = (Plant(faults, machines=1, seed=2).advance(40).values for faults in ([fault], []))
        return (sick / well)[:, SIGNALS.index("current")] - 1

    step, ramp = extra(0.0), extra(4.0)
    assert step[101] == pytest.approx(0.20, abs=0.03)
    assert ramp[120] == pytest.approx(0.10, abs=0.03)
    assert ramp[145] == pytest.approx(0.20, abs=0.03)
    assert np.abs(step[300:]).max() == 0


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_stuck_sensor_repeats_its_last_reading_exactly(signal: str) -> None:
    fault = Fault(1, "stuck_sensor", 10.0, 22.0, 1.0, 0.0, signal)
    values = Plant([fault], machines=2, seed=1).advance(40).values.reshape(-1, 2, len(SIGNALS))
    column = values[:, 1, SIGNALS.index(signal)]
    assert (column[100:220] == column[99]).all()
    assert repeats(column[220:]) <= 5
    assert column[220] != column[219]


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_loose_sensor_jumps_and_only_its_own_signal_does(signal: str) -> None:
    fault = Fault(0, "loose_sensor", 10.0, 22.0, 1.0, 0.0, signal)
    sick, well = (Plant(faults, machines=1, seed=6).advance(40).values for faults in ([fault], []))
    column = SIGNALS.index(signal)
    spread = np.abs(np.diff(sick[100:220, column])).std() / np.abs(np.diff(well[:, column])).std()
    assert spread > 5
    others = [other for other in range(len(SIGNALS)) if other != column]
    assert np.array_equal(sick[:, others], well[:, others])
    assert (sick >= 0).all()


def test_every_fault_of_a_mixed_run_can_be_found_by_plain_means() -> None:
    found = planned = false = 0
    for seed in range(4):
        values, truth = table("faults", 12, 120, seed, 60)
        for machine in range(12):
            rows = values[:, machine]
            seconds = rows.reshape(-1, 10, len(SIGNALS)).mean(1)
            distance = unlikeliness(seconds, seconds[:60])
            jump = (np.abs(np.diff(rows, axis=0)) / np.abs(np.diff(rows[:600], axis=0)).max(0)).max(1)
            jumps = np.append(jump, 0).reshape(-1, 10).max(1)
            stuck = [
                max(repeats(column) for column in rows[at : at + 10].T) for at in range(0, len(rows), 10)
            ]
            alarm = (distance > 1.75 * distance[:60].max()) | (jumps > 1.6) | (np.array(stuck) >= 7)
            quiet = np.ones(len(alarm), dtype=bool)
            for one in (one for one in truth if machine_of(one) == machine):
                begin, end, gone = (round(t / 1e9) for t in (one.start_ns, one.end_ns, one.settled_ns))
                quiet[begin - 1 : gone + 2] = False
                planned += 1
                found += bool(alarm[begin:end].any())
            false += int(alarm[quiet].sum())
    assert planned >= 20
    assert found == planned
    assert false <= planned // 4


@pytest.mark.parametrize(
    "change",
    [
        {"machines": 0},
        {"machines": -1},
        {"machines": 1_001},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"seconds": 1e9},
        {"rate_hz": 0.0},
        {"rate_hz": float("inf")},
        {"rate_hz": 0.001, "seconds": 4_000.0},
        {"seed": -1},
    ],
)
def test_impossible_numbers_are_refused(change: dict[str, float]) -> None:
    wanted: dict[str, float] = {"machines": 2, "seconds": 30.0, "rate_hz": 10.0, "seed": 0, **change}
    with pytest.raises(BadInput):
        simulate("healthy", **wanted)  # type: ignore[arg-type]


def test_an_unknown_scenario_is_not_found() -> None:
    with pytest.raises(NotFound):
        MachinePack().simulate("fire", 2, 60, 10, 0)


def test_a_short_run_still_has_a_fault() -> None:
    assert simulate("faults", 4, 30, 10, 0)[1]


def test_a_truth_cannot_be_altered() -> None:
    _, [one, *_] = simulate("faults", 4, 60, 10, 0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.kind = "none"  # type: ignore[misc]


@pytest.mark.parametrize(("kind", "up"), [("overload", True), ("idle", False)])
def test_another_way_of_running_moves_what_the_load_moves(kind: str, up: bool) -> None:
    batch, truth = simulate(kind, 1, 60.0, 10.0, 2, learn_s=30.0)
    calm, _ = simulate("healthy", 1, 60.0, 10.0, 2, learn_s=30.0)
    during = (batch.time_ns >= truth[0].start_ns + 6e9) & (batch.time_ns < truth[0].end_ns)
    moved = batch.values[during].mean(axis=0) - calm.values[during].mean(axis=0)
    assert ((moved > 0) == up).all()
    np.testing.assert_array_equal(batch.values[~during][:300], calm.values[~during][:300])
