"""Curves: equal to the code of TSB-AD 1.5, and what must hold whatever the scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.learn.metric.curve import auc_pr, auc_roc, margin_of, precision_recall, vus_pr

MANY = tuple((i, i + 3) for i in range(40, 960, 60))
REFERENCE = [
    (
        400,
        ((100, 120), (300, 310)),
        1,
        False,
        20,
        0.46047022173150864,
        0.4345411406981369,
        0.7834578804347826,
    ),
    (400, ((0, 5), (390, 399)), 2, False, 30, 0.5852728622274641, 0.5642137909092378, 0.8465169270833333),
    (
        500,
        ((100, 110), (113, 130), (400, 400)),
        3,
        True,
        25,
        0.41639947357294926,
        0.39667227596877563,
        0.8029078014184398,
    ),
    (300, ((50, 250),), 4, False, 10, 0.8849725437020409, 0.8798525371002576, 0.7539574853007689),
    (1000, MANY, 5, False, 100, 0.8048006037011195, 0.403283761254554, 0.7636217948717948),
]
"""Rows, events, seed, whether scores tie, margin; VUS-PR, AUC-PR and ROC as TSB-AD 1.5 has them."""


def case(rows: int, events: tuple[tuple[int, int], ...], seed: int, ties: bool):
    """Labels with these events and scores that know a little about them."""
    labels = np.zeros(rows, np.int64)
    for first, last in events:
        labels[first : last + 1] = 1
    rng = np.random.default_rng(seed)
    scores = rng.random(rows) + 0.7 * labels * rng.random(rows)
    return labels, np.round(scores, 1) if ties else scores


@pytest.mark.parametrize(("rows", "events", "seed", "ties", "margin", "vus", "pr", "roc"), REFERENCE)
def test_equal_to_tsb_ad(rows, events, seed, ties, margin, vus, pr, roc) -> None:
    labels, scores = case(rows, events, seed, ties)
    assert vus_pr(labels, scores, margin) == pytest.approx(vus, abs=1e-9)
    assert auc_pr(labels, scores) == pytest.approx(pr, abs=1e-9)
    assert auc_roc(labels, scores) == pytest.approx(roc, abs=1e-9)


def test_equal_to_tsb_ad_where_it_is_installed() -> None:
    reference = pytest.importorskip("TSB_AD.evaluation.basic_metrics", reason="needs tsb-ad")
    for seed in range(10):
        labels, scores = case(600, ((50, 60), (200, 240), (590, 599)), seed, seed % 2 == 1)
        wanted = reference.generate_curve(labels, scores, 40, "opt", 250)[-1]
        assert vus_pr(labels, scores, 40) == pytest.approx(float(wanted), abs=1e-9)


def test_without_faulty_rows_there_is_nothing_to_say() -> None:
    labels, scores = np.zeros(50, np.int64), np.arange(50.0)
    assert np.isnan([vus_pr(labels, scores, 10), auc_pr(labels, scores), auc_roc(labels, scores)]).all()
    assert not len(precision_recall(labels, scores)[0])


def test_perfect_scores_are_perfect() -> None:
    labels, _ = case(400, ((100, 120), (300, 310)), 0, False)
    assert auc_pr(labels, labels.astype(float)) == 1
    assert auc_roc(labels, labels.astype(float)) == 1
    assert vus_pr(labels, labels.astype(float), 0) == pytest.approx(1)


def test_the_same_score_everywhere_is_chance() -> None:
    labels, _ = case(400, ((100, 139),), 0, False)
    assert auc_pr(labels, np.ones(400)) == pytest.approx(0.1)
    assert auc_roc(labels, np.ones(400)) == 0.5


@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-5, 5))
def test_only_the_order_of_scores_counts(seed: int, factor: float, shift: float) -> None:
    labels, scores = case(200, ((20, 30), (150, 155)), seed, True)
    for metric in (auc_pr, auc_roc, lambda y, s: vus_pr(y, s, 12)):
        assert metric(labels, np.exp(scores)) == pytest.approx(metric(labels, scores), abs=1e-12)
    assert auc_roc(labels, factor * scores + shift) == pytest.approx(auc_roc(labels, scores), abs=1e-9)


def test_a_few_margins_will_do_and_says_nearly_the_same() -> None:
    labels, scores = case(1000, MANY, 5, False)
    for margin in (20, 100, 300):
        told = vus_pr(labels, scores, margin, few=12)
        assert told == pytest.approx(vus_pr(labels, scores, margin), abs=0.005)


def test_an_alarm_a_little_late_is_worth_more_with_a_margin() -> None:
    labels, _ = case(400, ((100, 120),), 0, False)
    late = np.zeros(400)
    late[121:126] = 1
    assert vus_pr(labels, late, 20) > 2 * vus_pr(labels, late, 0)


@pytest.mark.parametrize("period", [12, 50, 144])
def test_the_margin_is_the_period(period: int) -> None:
    wave = np.sin(2 * np.pi * np.arange(4000) / period)
    assert abs(margin_of(wave) - period) <= 3


@pytest.mark.parametrize("flat", [np.zeros(500), np.full(3, 7.0), np.arange(400.0)])
def test_without_a_period_the_margin_is_the_usual_one(flat) -> None:
    assert margin_of(flat) == 125
