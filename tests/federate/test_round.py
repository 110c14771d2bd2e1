"""Rounds: equal to pooled training, blind to the order of arrival, and hard to poison."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.federate.contribution import from_bytes
from bimetal.federate.moments import Floats, Moments, merge_all, moments_of
from bimetal.federate.round import MOST_WEIGHT, REACH, Merged, Round
from bimetal.nouns.errors import BadInput, GateNotMet, NotAllowed
from tests.federate.given import DEVICES, HIGH, LOW, contribution, filled, honest, readings, terms

HONEST = honest()
POOLED = moments_of(np.concatenate([readings(k) for k in range(9)]))
MERGED = filled(HONEST).merge()


def lie(mean: Floats, variance: float = 1.0, rows: float = 200.0, device: str = DEVICES[0]) -> bytes:
    return contribution(device, Moments(rows, mean, np.eye(3) * variance * rows))


def test_the_result_is_that_of_all_readings_pooled() -> None:
    assert (MERGED.pulled_back, MERGED.weighed_less) == ((), ())
    assert MERGED.moments.count == POOLED.count
    np.testing.assert_allclose(MERGED.moments.mean, POOLED.mean, rtol=1e-12)
    np.testing.assert_allclose(MERGED.moments.covariance, POOLED.covariance, rtol=1e-10)


def test_any_order_of_arrival_gives_the_same_bits() -> None:
    for seed in range(20):
        order = random.Random(seed).sample(HONEST, len(HONEST))
        merged = filled(order).merge()
        assert merged.moments.mean.tobytes() == MERGED.moments.mean.tobytes()
        assert merged.moments.products.tobytes() == MERGED.moments.products.tobytes()


def test_the_same_contribution_twice_counts_once() -> None:
    assert filled(HONEST + HONEST[:4]).merge().moments.count == POOLED.count


def test_a_device_cannot_change_its_word() -> None:
    now = filled(HONEST)
    with pytest.raises(BadInput, match="something else already"):
        now.receive(contribution(DEVICES[0], moments_of(readings(5))))
    assert now.merge().moments.mean.tobytes() == MERGED.moments.mean.tobytes()


def test_too_few_devices_are_not_merged() -> None:
    with pytest.raises(GateNotMet, match="4 devices contributed, and 5 are needed"):
        filled(HONEST[:4]).merge()
    assert len(filled(HONEST[:5]).merge().devices) == 5


def test_an_erased_device_leaves_no_trace() -> None:
    without = filled(HONEST).without(DEVICES[3]).merge()
    never = filled(HONEST[:3] + HONEST[4:]).merge()
    assert without.moments.products.tobytes() == never.moments.products.tobytes()
    assert DEVICES[3] not in without.devices


@pytest.mark.parametrize("shape", [{"number": 8}, {"subject": b"x" * 16}])
def test_another_round_or_subject_does_not_count(shape: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="another round or subject"):
        Round(terms()).receive(contribution(DEVICES[0], moments_of(readings(0)), **shape))  # type: ignore[arg-type]


def test_a_stranger_is_not_let_in() -> None:
    with pytest.raises(NotAllowed):
        Round(terms()).receive(contribution("stranger", moments_of(readings(0))))


MIDDLE = np.array([60.0, 6.0, 300.0])


def moments(count: float = 200.0, mean: Floats = MIDDLE, products: Floats | None = None) -> Moments:
    return Moments(count, mean, np.eye(3) * 100 if products is None else products)


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (moments(31), "31 rows"),
        (moments(0), "0 rows"),
        (moments(-200), "rows"),
        (moments(200.5), "rows"),
        (moments(1e300), "rows"),
        (moments(np.nan), "not finite"),
        (moments(mean=np.array([np.inf, 1, 1])), "not finite"),
        (moments(mean=np.array([151.0, 6, 300])), "outside the range"),
        (moments(mean=np.array([60.0, -0.1, 300])), "outside the range"),
        (moments(products=np.diag([-1.0, 1, 1])), "variance"),
        (moments(products=np.diag([100.0, 200 * 64 + 100, 1])), "variance"),
        (moments(mean=np.array([150.0, 6, 300])), "variance"),
        (moments(products=np.array([[1, 9, 0], [9, 1, 0], [0, 0, 1.0]])), "no readings"),
        (Moments(200, np.zeros(2), np.eye(2)), "2 signals came"),
    ],
)
def test_what_no_readings_can_give_does_not_count(hostile: Moments, why: str) -> None:
    before = filled(HONEST[1:])
    with pytest.raises(BadInput, match=why):
        before.receive(contribution(DEVICES[0], hostile))
    assert len(before.contributions) == 8


def test_a_sensor_at_the_end_of_its_range_counts() -> None:
    at_end = moments_of(np.column_stack([np.full(50, 150.0), np.zeros(50), np.full(50, -1e4)]))
    assert len(filled([contribution(DEVICES[0], at_end)]).contributions) == 1


@settings(max_examples=60)
@given(
    st.integers(1, 4),
    st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3),
    st.floats(1e-6, 1.0),
    st.sampled_from([32.0, 200.0, 1e9]),
)
def test_liars_move_the_result_no_further_than_the_bound(
    liars: int, where: list[float], variance: float, rows: float
) -> None:
    mean = LOW + np.array(where) * (HIGH - LOW)
    lies = [lie(mean, variance, rows, DEVICES[k]) for k in range(liars)]
    merged = filled(lies + HONEST[liars:]).merge()
    weight = MOST_WEIGHT * liars / (MOST_WEIGHT * liars + 9 - liars)
    truth = merge_all([moments_of(readings(k)) for k in range(liars, 9)], 3)
    scale = honest_scale()
    assert (np.abs(merged.moments.mean - truth.mean) <= 2 * REACH * scale * weight).all()
    assert (merged.moments.variance < 500 * truth.variance).all()


def honest_scale() -> Floats:
    """No robust scale of nine, five of them honest, can exceed how far honest means lie apart."""
    means = np.stack([moments_of(readings(k)).mean for k in range(9)])
    stds = np.stack([readings(k).std(axis=0) for k in range(9)])
    return np.maximum(1.4826 * (means.max(axis=0) - means.min(axis=0)), stds.max(axis=0))


def test_the_reach_says_how_far_one_device_moves_the_rest() -> None:
    merged = filled([lie(np.array([149.0, 15.0, 9e3]), 0.01), *HONEST[1:]]).merge()
    rest = merge_all([from_bytes(c).moments for c in HONEST[1:]], 3)
    moved = np.abs(merged.moments.mean - rest.mean)
    assert merged.pulled_back == (DEVICES[0],)
    assert (moved <= merged.reach).all()
    assert (moved > 0.2 * merged.reach).all()
    plain = merge_all([from_bytes(lie(np.array([149.0, 15.0, 9e3]), 0.01)).moments, rest], 3)
    assert (np.abs(plain.mean - rest.mean) > 2 * moved).any()


def test_a_device_that_claims_many_rows_weighs_no_more_than_four() -> None:
    loud = moments_of(readings(0))
    loud = Moments(loud.count * 1e6, loud.mean, loud.products * 1e6)
    merged: Merged = filled([contribution(DEVICES[0], loud), *HONEST[1:]]).merge()
    assert merged.weighed_less == (DEVICES[0],)
    assert merged.moments.count == 200 * (8 + MOST_WEIGHT)


def test_a_wild_variance_is_drawn_in_and_named() -> None:
    wild = Moments(200.0, MIDDLE, np.diag([2000.0, 10.0, 5e5]) * 200)
    merged = filled([contribution(DEVICES[0], wild), *HONEST[1:]]).merge()
    assert merged.pulled_back == (DEVICES[0],)
    assert (merged.moments.variance < 4 * POOLED.variance).all()
    assert np.linalg.eigvalsh(merged.moments.covariance).min() > 0


def test_machines_with_other_set_points_are_not_taken_for_liars() -> None:
    apart = [contribution(DEVICES[k], moments_of(readings(k) + 5 * k)) for k in range(9)]
    generous = {"high": HIGH + 100}
    merged = filled(apart, **generous).merge()
    pooled = moments_of(np.concatenate([readings(k) + 5 * k for k in range(9)]))
    assert merged.pulled_back == ()
    np.testing.assert_allclose(merged.moments.covariance, pooled.covariance, rtol=1e-10)


@pytest.mark.parametrize(
    "changes",
    [
        {"low": HIGH},
        {"low": LOW[:2]},
        {"high": np.array([np.inf, 1.0, 1.0])},
        {"high": np.array([np.nan, 16.0, 1e4])},
        {"least_devices": 1},
    ],
)
def test_impossible_terms_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        terms(**changes)
