"""A promise is read from words, and the threshold keeps it where the scores are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.learn.calibrate import (
    BLOCK,
    HEAVIEST,
    LEAST_BLOCKS,
    LEAST_PATIENCE,
    REACH,
    Budget,
    Threshold,
    confidence_of,
    drift_for,
    parse_budget,
    threshold_for,
)
from bimetal.nouns.errors import BadInput
from bimetal.program.operators.drift_test import NEVER, ONE_IN

Floats = NDArray[np.float64]


@pytest.mark.parametrize(
    ("text", "count", "per_second"),
    [
        ("1/week", 1.0, 1 / 604_800),
        ("2/day", 2.0, 2 / 86_400),
        (" 0.5 per month ", 0.5, 0.5 / 2_629_800),
        ("3 a YEAR", 3.0, 3 / 31_557_600),
        ("1/hour", 1.0, 1 / 3600),
    ],
)
def test_a_budget_is_read(text: str, count: float, per_second: float) -> None:
    budget = parse_budget(text)
    assert budget.count == count
    assert budget.per_second == pytest.approx(per_second)
    assert parse_budget(str(budget)) == budget


@pytest.mark.parametrize("text", ["", "often", "0/week", "-1/week", "1/fortnight", "1", "1e9/day", "nan/day"])
def test_no_budget_is_said_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match="no rate of false alarms") as said:
        parse_budget(text)
    assert "1/week" in str(said.value.hint)


def exceedances(threshold: float, draw: np.random.Generator, kind: str, blocks: int) -> float:
    """How often the maximum of a block is at the threshold."""
    return float((sample(draw, kind, blocks * BLOCK).reshape(-1, BLOCK).max(axis=1) >= threshold).mean())


def sample(draw: np.random.Generator, kind: str, rows: int) -> Floats:
    match kind:
        case "exponential":
            return draw.exponential(size=rows)
        case "gaussian":
            return np.abs(draw.normal(size=rows))
        case _:
            return np.log1p(draw.chisquare(5, size=rows))


@pytest.mark.parametrize("kind", ["exponential", "gaussian", "log of chi-square"])
def test_known_scores_raise_about_the_promised_number(kind: str) -> None:
    period_s, budget = 60.0, Budget(1, "day")
    rates: list[float] = []
    for seed in range(12):
        draw = np.random.default_rng(seed)
        known = [sample(draw, kind, 6000) for _ in range(2)]
        threshold = threshold_for(known, budget, period_s, known)
        rates.append(exceedances(threshold.value, draw, kind, 4000))
    promised = budget.per_second * period_s * BLOCK
    assert 0.2 * promised < np.mean(rates) < 1.3 * promised


def test_it_lies_between_what_flatters_and_what_scolds() -> None:
    draw = np.random.default_rng(1)
    low, high = [draw.exponential(size=6000)], [1 + 1.5 * draw.exponential(size=6000)]
    budget = Budget(1, "day")
    flat, between, strict = (
        threshold_for(a, budget, 60.0, b).value for a, b in ((low, low), (low, high), (high, high))
    )
    assert flat < between < strict
    assert between - flat == pytest.approx((strict - flat) * 0.75)


def test_it_is_not_followed_beyond_reach() -> None:
    scores = [np.random.default_rng(2).exponential(size=900)]
    far, farther = (threshold_for(scores, Budget(1, span), 1.0, scores) for span in ("month", "year"))
    assert far.value == farther.value
    assert far.beyond_reach
    assert far.extrapolated
    near = threshold_for(scores, Budget(4, "hour"), 1.0, scores)
    assert near.value < far.value
    assert not near.beyond_reach


def test_a_few_faults_in_the_history_hardly_lift_it() -> None:
    draw = np.random.default_rng(3)
    clean = draw.exponential(size=9000)
    spoiled = clean.copy()
    spoiled[:300] += 100
    budget = Budget(1, "day")
    one, other = (threshold_for([s], budget, 60.0, [s]).value for s in (clean, spoiled))
    assert other < 1.3 * one


@pytest.mark.parametrize("scores", [[], [np.zeros(0)], [np.ones(20)], [np.zeros(5000)]])
def test_hardly_any_or_still_scores_give_a_threshold(scores: list[Floats]) -> None:
    found = threshold_for(scores, Budget(1, "week"), 1.0, scores)
    assert 1e-3 <= found.value <= 1e6


def test_how_well_founded_it_is_is_said() -> None:
    assert Threshold(1.0, 200.0, 100.0).words() == "measured within the history"
    assert Threshold(1.0, 50.0, 100.0).words().startswith("extrapolated: the history covers 50.0%")
    assert "holding further alarms back" in Threshold(1.0, 10.0, 10.0 * REACH + 1).words()


def test_tails_heavier_than_the_family_are_counted_where_the_history_is_long() -> None:
    draw, budget = np.random.default_rng(4), Budget(1, "day")
    heavy = np.abs(draw.standard_t(2.5, 6000 * BLOCK))
    value = threshold_for([heavy], budget, 60.0, []).value
    reached = (heavy.reshape(-1, BLOCK).max(axis=1) >= value).mean()
    assert reached <= 1.1 * budget.per_second * 60.0 * BLOCK


def test_faults_in_the_history_lift_the_threshold_only_so_far() -> None:
    calm = np.random.default_rng(5).exponential(size=60_000)
    faulty = calm.copy()
    faulty[::100] = 1000.0
    plain = threshold_for([calm], Budget(1, "day"), 60.0, []).value
    assert threshold_for([faulty], Budget(1, "day"), 60.0, []).value < 3 * HEAVIEST * plain


@pytest.mark.parametrize(
    ("alarms", "allowed", "sure"),
    [(0, 0.0, 0.0), (0, 1.0, 0.632), (0, 3.0, 0.950), (9, 11.26, 0.688), (11, 11.0, 0.421), (50, 11.0, 0.0)],
)
def test_how_sure_a_promise_is_follows_from_what_the_history_raises(
    alarms: float, allowed: float, sure: float
) -> None:
    assert confidence_of(alarms, allowed) == pytest.approx(sure, abs=0.005)


def test_a_long_history_makes_the_promise_sure_without_overflowing() -> None:
    assert confidence_of(10, 1e6) == 1.0
    assert confidence_of(2e6, 1e6) == 0.0


def test_one_block_in_ten_reaches_the_level_of_the_drift_test() -> None:
    draw = np.random.default_rng(6)
    threshold = Threshold(5.0, 1e6, 86_400.0)
    scores = [draw.exponential(size=256 * 400)]
    drift = drift_for(scores, [draw.exponential(size=256 * 300)], threshold, 60.0, 256)
    new = draw.exponential(size=(4000, 256)).max(axis=1)
    assert (new >= drift.level * threshold.value).mean() == pytest.approx(1 / ONE_IN, abs=0.03)
    assert drift.patience == LEAST_PATIENCE
    assert drift.patience_s == LEAST_PATIENCE * 256 * 60
    assert drift.tested


def test_with_a_short_history_nothing_is_tested() -> None:
    few = [np.ones(256 * (LEAST_BLOCKS - 1))]
    drift = drift_for(few, few, Threshold(1.0, 1e4, 86_400.0), 1.0, 256)
    assert drift.level == NEVER
    assert not drift.tested
