"""Rollout: no device runs what it did not pass, and one failure takes everybody back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.fleet.deployment import Act, Observation, Order, Stage
from bimetal.fleet.rollout import decide, halt
from tests.fleet.given import NEW, OLD, VECTORS, WAVES, Plant, deployment, run, word


def test_all_goes_well_wave_by_wave() -> None:
    plant = Plant()
    decisions = run(plant, deployment())
    assert decisions[-1].deployment.stage is Stage.DONE
    assert set(plant.armed.values()) == {NEW}
    acts = [(o.act, o.device) for d in decisions for o in d.orders]
    assert acts == [(act, device) for wave in WAVES for act in (Act.STAGE, Act.ARM) for device in wave]
    assert decisions[-1].orders == ()


def test_a_failed_self_test_halts_and_takes_everybody_back() -> None:
    plant = Plant(broken=frozenset("c"))
    decisions = run(plant, deployment())
    last = decisions[-1].deployment
    assert last.stage is Stage.RETURNED
    assert last.halted == "c gave 63 of 64 golden vectors equal"
    assert set(plant.armed.values()) == {OLD}
    assert NEW not in plant.staged.values()
    told = {o.device for d in decisions for o in d.orders}
    assert told == {"a", "b", "c"}


def test_a_device_that_failed_is_never_armed_nor_its_wave() -> None:
    decisions = run(Plant(broken=frozenset("f")), deployment())
    armed = {o.device for d in decisions for o in d.orders if o.act is Act.ARM}
    assert armed == {"a", "b", "c"}


def test_a_silent_device_holds_its_wave_back_and_orders_are_given_again() -> None:
    plant = Plant(deaf=frozenset("b"))
    decisions = run(plant, deployment())
    assert decisions[-1].deployment.stage is Stage.ROLLING
    assert decisions[-1].orders == (Order("b", Act.STAGE, NEW),) == decisions[-2].orders
    assert plant.armed["c"] == OLD
    plant.deaf = frozenset()
    assert run(plant, decisions[-1].deployment)[-1].deployment.stage is Stage.DONE


def test_a_device_that_lay_silent_when_it_halted_is_told_when_it_comes_back() -> None:
    plant = Plant(broken=frozenset("e"), deaf=frozenset())
    decisions = run(plant, deployment(), turns=6)
    plant.deaf = frozenset("a")
    decisions = run(plant, decisions[-1].deployment)
    assert decisions[-1].deployment.stage is Stage.HALTED
    assert decisions[-1].orders == (Order("a", Act.RETURN, OLD),)
    plant.deaf = frozenset()
    assert run(plant, decisions[-1].deployment)[-1].deployment.stage is Stage.RETURNED


def test_a_halt_is_for_good() -> None:
    plant = Plant(broken=frozenset("a"))
    now = run(plant, deployment())[-1].deployment
    plant.broken = frozenset()
    decision = decide(now, [word("a", 10**6)], 10**6)
    assert decision.deployment.halted
    assert decision.orders == (Order("a", Act.RETURN, OLD),)


def test_a_person_can_halt() -> None:
    plant = Plant()
    now = run(plant, deployment(), turns=3)[-1].deployment
    stopped = run(plant, halt(now, ""))[-1].deployment
    assert (stopped.halted, stopped.stage) == ("stopped by hand", Stage.RETURNED)
    assert set(plant.armed.values()) == {OLD}
    assert halt(stopped, "again").halted == "stopped by hand"


def test_what_had_no_bundle_before_goes_back_to_none() -> None:
    plant = Plant(
        broken=frozenset("a"), staged=dict.fromkeys("abcdef", ""), armed=dict.fromkeys("abcdef", "")
    )
    decisions = run(plant, deployment(former=""))
    assert Order("a", Act.RETURN, "") in [o for d in decisions for o in d.orders]
    assert decisions[-1].deployment.stage is Stage.RETURNED


def test_waves_wait_for_each_other_as_long_as_asked() -> None:
    plant = Plant()
    decisions = run(plant, deployment(soak_ns=100), turns=40, turn_ns=10)
    when = {o.device: k * 10 for k, d in enumerate(decisions) for o in d.orders if o.act is Act.STAGE}
    assert when["b"] - decisions[-1].deployment.settled_ns[0] >= 100
    assert when["d"] - decisions[-1].deployment.settled_ns[1] >= 100
    assert decisions[-1].deployment.stage is Stage.DONE


def test_a_devices_wrong_clock_shortens_no_wait() -> None:
    now = deployment(soak_ns=100)
    now = decide(now, [word("a", -(10**18), armed=NEW)], 1000).deployment
    assert decide(now, [], 1099).orders == ()
    assert decide(now, [], 1100).orders == (Order("b", Act.STAGE, NEW), Order("c", Act.STAGE, NEW))


@pytest.mark.parametrize("stranger", [word("z"), word("a", 4), word("", 9)])
def test_words_that_do_not_count_change_nothing(stranger: Observation) -> None:
    now = decide(deployment(), [word("a", 5)], 5).deployment
    decision = decide(now, [stranger], 6)
    assert decision.ignored == 1
    assert decision.deployment.observed == now.observed


def test_a_device_that_arms_what_it_did_not_pass_halts() -> None:
    decision = decide(deployment(), [word("d", armed=NEW, staged=OLD)], 1)
    assert decision.deployment.halted == "d runs the bundle without having passed its self-test"


def test_the_deployment_given_is_left_as_it_was() -> None:
    before = deployment()
    decide(before, [word("a")], 1)
    assert before == deployment()


WORDS = st.builds(
    Observation,
    st.sampled_from("abcdefz"),
    st.integers(0, 30),
    st.sampled_from([NEW, OLD, ""]),
    st.sampled_from([VECTORS, 0, 1]),
    st.sampled_from([VECTORS, VECTORS, VECTORS, 0]),
    st.sampled_from([NEW, OLD, ""]),
)


@given(st.lists(st.lists(WORDS, max_size=4), max_size=12))
def test_whatever_devices_say_nobody_is_armed_before_its_wave_passed(rounds: list[list[Observation]]) -> None:
    now = deployment()
    for k, words in enumerate(rounds):
        decision = decide(now, words, k)
        now = decision.deployment
        for order in decision.orders:
            if order.act is Act.ARM:
                wave = next(w for w in WAVES if order.device in w)
                assert not now.halted
                assert all(now.has_passed(d) for d in wave)
            if order.act is Act.STAGE:
                assert not any(now.has_failed(d) for d in now.devices)
        assert {o.act for o in decision.orders} <= {Act.RETURN} or not now.halted
