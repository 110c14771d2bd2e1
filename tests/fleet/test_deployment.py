"""Deployments: impossible ones are refused, and waves are drawn fairly and the same everywhere."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.fleet.deployment import Stage, waves_of
from bimetal.nouns.errors import BadInput
from tests.fleet.given import NEW, OLD, deployment, word


@pytest.mark.parametrize(
    "changes",
    [
        {"bundle": ""},
        {"bundle": "../../etc"},
        {"bundle": NEW.upper()},
        {"former": NEW},
        {"former": "old"},
        {"vectors": 0},
        {"waves": ()},
        {"waves": ((), ("a",))},
        {"waves": (("a",), ("b", "a"))},
        {"waves": (("a\n",),)},
        {"waves": (("",),)},
    ],
)
def test_impossible_deployments_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        deployment(**changes)


def test_a_first_deployment_has_no_former_bundle() -> None:
    assert deployment(former="").stage is Stage.ROLLING


@pytest.mark.parametrize(
    ("staged", "equal", "vectors", "passed", "failed"),
    [
        (NEW, 64, 64, True, False),
        (NEW, 63, 64, False, True),
        (NEW, 0, 0, False, True),
        (NEW, 1, 1, False, True),
        (NEW, 65, 64, False, True),
        (NEW, -1, -1, False, True),
        (OLD, 64, 64, False, False),
        ("", 0, 0, False, False),
    ],
)
def test_only_every_vector_equal_is_a_pass(
    staged: str, equal: int, vectors: int, passed: bool, failed: bool
) -> None:
    seen = deployment(observed={"a": word("a", staged=staged, equal=equal, vectors=vectors)})
    assert (seen.has_passed("a"), seen.has_failed("a")) == (passed, failed)
    assert not seen.has_passed("b")
    assert not seen.has_failed("b")


@given(st.sets(st.text("abcdef0123", min_size=1, max_size=6), min_size=1, max_size=60))
def test_waves_hold_every_device_once_and_do_not_depend_on_order(devices: set[str]) -> None:
    waves = waves_of(NEW, sorted(devices))
    assert sorted(d for wave in waves for d in wave) == sorted(devices)
    assert waves == waves_of(NEW, sorted(devices, reverse=True))
    assert all(waves)


def test_waves_grow_and_begin_small() -> None:
    assert [len(w) for w in waves_of(NEW, [f"d{k}" for k in range(1000)])] == [10, 90, 900]
    assert [len(w) for w in waves_of(NEW, ["one"])] == [1]


def test_other_devices_go_first_each_time() -> None:
    first = Counter(waves_of(f"{k:064x}", [f"d{k}" for k in range(10)])[0][0] for k in range(300))
    assert len(first) == 10
    assert max(first.values()) < 60


@pytest.mark.parametrize("shares", [(), (0.5,), (1.0, 0.5), (0.0, 1.0), (-1.0, 1.0), (0.5, 2.0)])
def test_shares_must_rise_to_one(shares: tuple[float, ...]) -> None:
    with pytest.raises(BadInput):
        waves_of(NEW, ["a"], shares)
