"""The plan of faults: clean while learning, long enough to be found, fair to every machine."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Cause
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.packs.machine.fault import (
    AFTER_LEARNING_S,
    BEFORE_END_S,
    CONTEXT_KINDS,
    HEALTHY,
    KINDS,
    MIXED,
    PROCESS_KINDS,
    REST_S,
    SCENARIOS,
    SENSOR_KINDS,
    SIGNALS,
    device_names,
    plan_faults,
    truth_of,
)


@given(
    st.sampled_from([MIXED, *KINDS]),
    st.integers(1, 40),
    st.floats(0, 300),
    st.floats(20, 4_000),
    st.integers(0, 2**31),
)
def test_every_plan_keeps_its_promises(
    scenario: str, machines: int, learn_s: float, more_s: float, seed: int
) -> None:
    seconds = learn_s + more_s
    faults = plan_faults(scenario, machines, seconds, learn_s, seed)
    assert faults
    assert faults == plan_faults(scenario, machines, seconds, learn_s, seed)
    freed: dict[int, float] = {}
    for fault in faults:
        assert learn_s + AFTER_LEARNING_S <= fault.start_s <= seconds - BEFORE_END_S + 1e-6
        assert fault.end_s <= seconds
        assert fault.end_s - fault.start_s >= 8
        assert fault.start_s >= freed.get(fault.machine, 0)
        assert 0 <= fault.machine < machines
        assert fault.kind in KINDS
        assert set(fault.signals) <= set(SIGNALS)
        assert (fault.cause is Cause.SENSOR) == (fault.kind in SENSOR_KINDS)
        freed[fault.machine] = fault.end_s + REST_S
    if machines >= 4:
        assert len(freed) <= machines - machines // 4


def test_a_mixed_plan_brings_every_kind() -> None:
    kinds = Counter(fault.kind for fault in plan_faults(MIXED, 12, 120, 30, 0))
    assert set(kinds) == set(KINDS)
    assert set(Counter(fault.machine for fault in plan_faults(MIXED, 12, 3_600, 30, 0)).values()) != {0}


def test_a_long_run_goes_on_failing() -> None:
    faults = plan_faults(MIXED, 12, 3_600, 30, 3)
    gaps = [later.start_s - earlier.start_s for earlier, later in itertools.pairwise(faults)]
    assert len(faults) > 100
    assert max(gaps) <= 60


def test_seeds_differ() -> None:
    assert plan_faults(MIXED, 12, 120, 30, 1) != plan_faults(MIXED, 12, 120, 30, 2)


def test_nothing_goes_wrong_in_a_healthy_plant() -> None:
    assert plan_faults(HEALTHY, 12, 5, 30, 0) == ()


def test_an_unknown_scenario_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=f"there is no scenario fire.*{', '.join(SCENARIOS)}"):
        plan_faults("fire", 12, 120, 30, 0)


@pytest.mark.parametrize(
    ("seconds", "learn_s"),
    [(49, 30), (0, 0), (float("inf"), 1), (float("nan"), 1), (100, float("nan")), (100, -1)],
)
def test_a_run_too_short_for_a_fault_is_said(seconds: float, learn_s: float) -> None:
    with pytest.raises(BadInput, match="too short for a fault"):
        plan_faults(MIXED, 12, seconds, learn_s, 0)


def test_the_truth_is_the_plan_in_devices_and_times() -> None:
    faults = plan_faults(MIXED, 12, 120, 30, 5)
    truths = truth_of(faults, 12, 1_000)
    assert [t.device for t in truths] == [device_names(12)[fault.machine] for fault in faults]
    for fault, truth in zip(faults, truths, strict=True):
        assert truth.start_ns == 1_000 + round(fault.start_s * 1e9)
        assert truth.end_ns == 1_000 + round(fault.end_s * 1e9)
        assert (truth.settled_ns > truth.end_ns) == (fault.kind in PROCESS_KINDS)
        assert (truth.kind, truth.signals, truth.cause) == (fault.kind, fault.signals, fault.cause)


@pytest.mark.parametrize("kind", CONTEXT_KINDS)
def test_another_way_of_running_is_no_fault_of_machine_or_sensor(kind: str) -> None:
    plan = plan_faults(kind, 4, 120.0, 30.0, 3)
    assert plan
    assert {fault.cause for fault in plan} == {Cause.CONTEXT}
    assert all(len(fault.signals) >= 3 for fault in plan)


def test_the_mixed_scenario_has_faults_alone() -> None:
    assert not {fault.kind for fault in plan_faults(MIXED, 8, 600.0, 30.0, 0)} & set(CONTEXT_KINDS)
