"""The feed: signals by name, in declared order, rounded once; what is missing is NaN."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns import Batch, Signal
from bimetal.nouns.errors import BadProgram
from bimetal.program.program import Draft, Program
from bimetal.stream.feed import feed_of
from tests.stream.given import FEED, NAMES, PROGRAM, SIGNALS, START


def batch(signals: tuple[Signal, ...], values: list[float]) -> Batch:
    return Batch(("a",), signals, np.array([START]), np.zeros(1, np.int32), np.array([values], np.float64))


def one_input(dtype: str, shape: tuple[int, ...]) -> Program:
    draft = Draft("one")
    draft.output("x", draft.input("x", dtype, shape))
    return draft.finish()


def test_signals_are_found_by_name_in_any_order() -> None:
    given = batch((SIGNALS[1], Signal("other"), SIGNALS[0]), [2.0, 9.0, 1.0])
    rows = FEED.rows(FEED.values(given))
    assert (rows["temperature"], rows["flow"]) == (np.float32(1), np.float32(2))
    assert FEED.values(given).tolist() == [[1.0, 2.0]]


def test_a_signal_that_is_not_there_is_missing() -> None:
    rows = FEED.rows(FEED.values(batch(SIGNALS[:1], [1.0])))
    assert np.isnan(rows["flow"][0])


def test_one_input_may_hold_all_signals() -> None:
    feed = feed_of(one_input("f32", (2,)), NAMES)
    assert feed.rows(feed.values(batch(SIGNALS, [1.0, 2.0])))["x"].tolist() == [[1.0, 2.0]]


def test_a_single_signal_fits_a_scalar_and_a_list_of_one() -> None:
    given = batch(SIGNALS[:1], [3.0]).values
    assert feed_of(one_input("f32", ()), NAMES[:1]).rows(given)["x"].tolist() == [3.0]
    assert feed_of(one_input("f32", (1,)), NAMES[:1]).rows(given)["x"].tolist() == [[3.0]]


def test_values_are_rounded_once_and_too_large_ones_are_infinite() -> None:
    rows = FEED.rows(FEED.values(batch(SIGNALS, [0.1, 1e300])))
    assert rows["temperature"][0] == np.float32(0.1)
    assert np.isinf(rows["flow"][0])


@pytest.mark.parametrize(
    "program",
    [one_input("f32", ()), one_input("f32", (3,)), one_input("i32", (2,)), one_input("f32", (2, 1))],
)
def test_inputs_that_do_not_fit_are_refused(program: Program) -> None:
    with pytest.raises(BadProgram, match="2 signals do not fit"):
        feed_of(program, NAMES)


def test_signals_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadProgram):
        feed_of(PROGRAM, (*NAMES, "third"))
