"""NAB's points: its scale, what lateness and false alarms cost, and the board's choice of threshold."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.metric.nab import nab_board, nab_points, nab_score

LABELS = np.zeros(200, np.int64)
LABELS[50:60] = LABELS[120:140] = 1


def at(*rows: int) -> np.ndarray:
    """Alarms at these rows alone."""
    alarm = np.zeros(200, bool)
    alarm[list(rows)] = True
    return alarm


def score(alarm: np.ndarray) -> float:
    """The score of one series."""
    return nab_score([nab_points(LABELS, alarm)])


def test_silence_is_0_and_perfection_100() -> None:
    assert score(at()) == 0
    assert score(at(50, 120)) == pytest.approx(100)


def test_late_in_a_window_is_worth_less() -> None:
    told = [score(at(50, row)) for row in range(120, 140)]
    assert told == sorted(told, reverse=True)
    assert told[-1] > 50


def test_only_the_first_alarm_of_a_window_counts() -> None:
    assert score(at(50, 120)) == pytest.approx(score(at(50, 53, 120, 130)))


def test_a_false_alarm_costs_at_most_eleven_hundredths() -> None:
    assert nab_points(LABELS, at(10))[0] == pytest.approx(-2 - 0.11)
    assert nab_points(LABELS, at(119))[0] == pytest.approx(-2 - 0.11)
    assert -2 - 0.11 < nab_points(LABELS, at(61))[0] < -2


def test_an_alarm_that_lasts_counts_once() -> None:
    assert nab_points(LABELS, at(*range(5, 40))) == nab_points(LABELS, at(5))


def test_the_formula_of_the_paper() -> None:
    late = 2 / (1 + np.exp(5 * -(59 - 55 + 1) / 10)) - 1
    most = 2 / (1 + np.exp(-5)) - 1
    assert nab_points(LABELS, at(55))[0] == pytest.approx(late / most - 1)


def test_the_board_takes_the_best_threshold_and_never_less_than_silence() -> None:
    scores = np.zeros(200)
    scores[[50, 120]] = 5
    scores[10] = 3
    assert nab_board([(LABELS, scores)]) == pytest.approx(100)
    assert nab_board([(LABELS, np.ones(200))]) == pytest.approx(0, abs=1)
    rng = np.random.default_rng(0)
    noise = rng.random(200)
    assert nab_board([(LABELS, noise)]) >= nab_score([nab_points(LABELS, noise > 0.9)]) - 5


def test_without_windows_there_is_no_score() -> None:
    assert np.isnan(nab_score([nab_points(np.zeros(9, np.int64), np.zeros(9, bool))]))
    assert np.isnan(nab_board([]))
