"""The habit is that of the healthy rows, even where a fifth of the rows are not."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.learners.covariance import RIDGE_OWN, RIDGE_TOGETHER, Habit, fit_habit
from bimetal.learn.sense import rows_of
from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operators.guarded_distance import GuardedDistance
from bimetal.program.program import Draft
from bimetal.targets.present import fastest


def healthy(rows: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mix = np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 1.0]])
    return (rng.normal(size=(rows, 3)) @ mix).astype(np.float32)


def distance(habit: Habit, rows: np.ndarray) -> np.ndarray:
    return (((rows - habit.centre) @ habit.whiten.T) ** 2).sum(axis=1) * habit.gain


def test_it_is_the_covariance_of_clean_rows() -> None:
    rows = healthy(5000)
    habit = fit_habit(rows, RIDGE_TOGETHER)
    inverse = np.linalg.inv(np.cov(rows.T, bias=True) + RIDGE_TOGETHER * np.eye(3))
    np.testing.assert_allclose(habit.whiten.T @ habit.whiten, inverse, rtol=0.05, atol=0.05)
    np.testing.assert_allclose(habit.precision, np.diag(inverse), rtol=0.05)
    assert distance(habit, rows).mean() == pytest.approx(1, rel=0.15)


def test_a_fifth_of_bad_rows_hardly_moves_it() -> None:
    clean = healthy(4000)
    spoiled = clean.copy()
    spoiled[::5] += np.random.default_rng(9).normal(0, 30, (800, 3)).astype(np.float32)
    habit = fit_habit(spoiled, RIDGE_TOGETHER)
    fresh = healthy(4000, 1)
    faulty = fresh + np.array([2.5, -2.5, 0.0], np.float32)
    near, far = distance(habit, fresh), distance(habit, faulty)
    assert np.quantile(near, 0.95) < np.quantile(far, 0.05)
    assert np.abs(habit.centre).max() < 0.5


def test_what_never_moved_may_move_a_little() -> None:
    rows = healthy(500)
    rows[:, 2] = 4.0
    habit = fit_habit(rows, RIDGE_TOGETHER)
    assert np.isfinite(habit.whiten).all()
    moved = rows.copy()
    moved[:, 2] += 1.0
    assert distance(habit, moved).min() > 5 * np.median(distance(habit, rows))


def test_all_the_same_is_no_trouble() -> None:
    habit = fit_habit(np.full((100, 4), 3.0, np.float32), 0.002)
    assert np.isfinite([*habit.whiten.ravel(), habit.gain, *habit.precision]).all()


def test_healthy_readings_do_not_shrink_what_is_usual() -> None:
    rows = np.random.default_rng(7).standard_t(5, (20_000, 3)).astype(np.float32)
    habit = fit_habit(rows, RIDGE_OWN)
    assert (habit.short > 0.1).all()
    settled, shrunk = (ratio_after(habit, rows, short) for short in (habit.short, np.zeros(3)))
    assert settled == pytest.approx(1, abs=0.05)
    assert shrunk < 0.9


def ratio_after(habit: Habit, rows: np.ndarray, short: np.ndarray) -> float:
    """Let a habit follow the rows it was learned from; return the mean of its directions' variances."""
    draft = Draft("habit")
    x = letter.stack([letter.stack([draft.input(name) for name in "abc"])])
    sound = letter.const(np.ones(1, bool), "b1")
    draft.output("distance", GuardedDistance(1, 3).trace(draft, x, sound, letter.const(True, "b1"))[0])
    program = draft.finish()
    values = draft.values | {
        "distance_centre": habit.centre[None],
        "distance_whiten": habit.whiten[None],
        "distance_gain": [habit.gain],
        "distance_short": short[None],
        "distance_pace": 1e-3,
    }
    running = fastest().load(program, pack(program, values))
    state, _, _ = running.run(initial_state(program), rows_of(program, "abc", rows))
    return float(np.frombuffer(state, layout_of(program).state.dtype)["ratio"].mean())
