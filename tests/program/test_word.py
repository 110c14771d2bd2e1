"""Words do what they say, gaps and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.layout import initial_state
from bimetal.program.node import EVERY, Clock, Node
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyRunning

NAN = float("nan")


def run(make: Callable[[Draft, Node], Node], signal: Any, dtype: str = "f32") -> NDArray[Any]:
    """What a word gives for a signal, at the readings it fires."""
    values = np.asarray(signal)
    draft = Draft("word")
    draft.output("y", make(draft, draft.input("x", dtype, values.shape[1:])))
    program = draft.finish()
    check(program)
    running = NumpyRunning(program, draft.values)
    rows = np.zeros(len(values), running.layouts.input.dtype)
    rows["x"] = values
    _, outputs, fired = running.run(initial_state(program), rows)
    last = len(program.clocks) - 1
    return outputs["y"][(fired >> last) & 1 == 1]


def test_clip_makes_nan_the_lower_bound() -> None:
    x = [NAN, -np.inf, -1.0, 0.5, 9.0, np.inf]
    assert list(run(lambda d, x: word.clip(x, 0.0, 1.0), x)) == [0, 0, 0, 0.5, 1, 1]


def test_clip_takes_parameters() -> None:
    y = run(lambda d, x: word.clip(x, d.param("low", -1.0), d.param("high", 1.0)), [-5.0, 0.0, 5.0])
    assert list(y) == [-1, 0, 1]


def test_absolute_keeps_nan() -> None:
    y = run(lambda d, x: word.absolute(x), [-2.0, 3.0, NAN, -np.inf])
    np.testing.assert_array_equal(y, [2, 3, NAN, np.inf])


def test_otherwise_fills_gaps() -> None:
    assert list(run(lambda d, x: word.otherwise(x, 7.0), [NAN, 2.0])) == [7, 2]


def test_sums_go_from_left_to_right() -> None:
    rng = np.random.default_rng(1)
    m, v = rng.normal(size=(5, 40)).astype(np.float32), rng.normal(size=(1, 40)).astype(np.float32)
    y = run(lambda d, x: word.matvec(d.param("m", m), x), v)[0]
    for k in range(5):
        s = m[k, 0] * v[0, 0]
        for a, b in zip(m[k, 1:], v[0, 1:], strict=True):
            s = np.float32(s + np.float32(a * b))
        assert y[k] == s
    assert run(lambda d, x: word.dot(x, d.param("w", m[0])), v)[0] == y[0]


def test_a_matrix_must_fit_its_vector() -> None:
    matrix = Node("param", (), (2, 3), "f32", name="m")
    with pytest.raises(BadProgram, match="cannot take"):
        word.matvec(matrix, Node("input", (), (2,), "f32", clock=EVERY, name="x"))


@given(st.lists(st.floats(width=32), min_size=1, max_size=40))
def test_shares_never_add_up_to_more_than_one(parts: list[float]) -> None:
    y = run(lambda d, x: word.shares(x), [parts])[0]
    assert (y >= 0).all()
    assert np.isfinite(y).all()
    assert y.astype(np.float64).sum() <= 1
    assert np.add.accumulate(y)[-1] <= 1


def test_shares_are_parts_of_the_positive() -> None:
    y = run(lambda d, x: word.shares(x), [[3.0, 1.0, -5.0, NAN], [0.0, 0.0, -1.0, 0.0]])
    np.testing.assert_allclose(y, [[0.75, 0.25, 0, 0], [0, 0, 0, 0]], atol=1e-5)


def test_hold_keeps_the_last_known() -> None:
    assert list(run(lambda d, x: word.hold(d, x, 9.0), [NAN, 1.0, NAN, 2.0])) == [9, 1, 1, 2]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_recent_is_the_last_values_oldest_first(size: int) -> None:
    x = np.arange(1.0, 13)
    y = run(lambda d, v: word.recent(d, v, size), x)
    padded = np.concatenate([np.zeros(size - 1), x])
    assert y.tolist() == [padded[t : t + size].tolist() for t in range(len(x))]


@pytest.mark.parametrize("readings", [1, 3])
def test_delayed(readings: int) -> None:
    x = np.arange(1.0, 9)
    assert list(run(lambda d, v: word.delayed(d, v, readings), x)) == [0.0] * readings + list(x[:-readings])


def test_delayed_truth_values_and_vectors() -> None:
    x = np.array([[1, 0], [0, 1], [1, 1]])
    assert run(lambda d, v: word.delayed(d, v, 1), x, "b1").tolist() == [[0, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize(("size", "hop"), [(3, 3), (4, 2), (5, 1), (2, 5), (1, 1)])
def test_windows(size: int, hop: int) -> None:
    x = np.arange(1.0, 20)
    y = run(lambda d, v: word.window(d, v, size, hop), x)
    assert y.tolist() == [x[t - size + 1 : t + 1].tolist() for t in range(size - 1, len(x), hop)]


@pytest.mark.parametrize(("size", "hop"), [(3, 3), (4, 2), (2, 1), (1, 1)])
def test_windows_of_a_slow_value(size: int, hop: int) -> None:
    def make(draft: Draft, x: Node) -> Node:
        kept = draft.state("kept", 0.0)
        draft.set(kept, x)
        return word.window(draft, word.sample(kept, Clock(2, 1)), size, hop)

    x = np.arange(1.0, 30)
    slow = x[1::2]
    y = run(make, x)
    assert y.tolist() == [slow[t - size + 1 : t + 1].tolist() for t in range(size - 1, len(slow), hop)]


def test_newest_is_what_was_pushed_last() -> None:
    def make(draft: Draft, x: Node) -> Node:
        return word.newest(*word.push(draft, x, 3))

    assert list(run(make, np.arange(1.0, 8))) == [0, 1, 2, 3, 4, 5, 6]


def test_counted_runs() -> None:
    y = run(lambda d, x: word.counted(d, x, 3), [0, 1, 1, 1, 1, 0, 1], "b1")
    assert list(y) == [0, 1, 2, 3, 3, 0, 1]


def test_every_fires_at_the_last_of_its_readings() -> None:
    def make(draft: Draft, x: Node) -> Node:
        last = draft.state("last", 0.0)
        draft.set(last, x)
        return word.sample(last, word.every(3))

    assert list(run(make, np.arange(1.0, 8))) == [3, 6]


def test_only_states_are_read_at_another_clock() -> None:
    with pytest.raises(BadProgram, match="only a state"):
        word.sample(Node("input", (), (), "f32", clock=EVERY, name="x"), Clock(2))


def test_a_polynomial_is_horners() -> None:
    assert list(run(lambda d, x: word.polynomial(x, (1.0, 2.0, 3.0)), [0.0, 1.0, -2.0])) == [1, 6, 9]


def test_mapped_is_one_loop() -> None:
    y = run(lambda d, x: word.mapped(x, lambda row: word.total(row)), np.arange(12.0).reshape(2, 3, 2))
    assert y.tolist() == [[1, 5, 9], [13, 17, 21]]


def test_mean_along_an_axis() -> None:
    assert run(lambda d, x: word.mean(x, axis=0), [[[1.0, 2.0], [3.0, 6.0]]]).tolist() == [[2, 4]]
    assert letter.mul(letter.const(1.0, "f32"), 2.0).clock is None


def test_every_so_many_firings_of_a_clock() -> None:
    assert word.every(3) == Clock(3, 2)
    assert word.every(3, Clock(4, 1)) == Clock(12, 9)


def test_each_channel_by_itself() -> None:
    y = run(lambda d, x: word.by_channel(x, lambda c: word.total(c)), np.arange(12.0).reshape(2, 3, 2))
    assert y.tolist() == [[6, 9], [24, 27]]


def test_a_table_along_the_first_axis() -> None:
    table = letter.const([1.0, 10.0], "f32")
    y = run(lambda d, x: letter.mul(word.along(table, x), x), np.ones((1, 2, 3)))
    assert y.tolist() == [[[1, 1, 1], [10, 10, 10]]]


def test_any_and_all() -> None:
    x = np.array([[0, 0], [0, 1], [1, 1]])
    assert list(run(lambda d, x: word.any_of(x), x, "b1")) == [0, 1, 1]
    assert list(run(lambda d, x: word.all_of(x), x, "b1")) == [0, 0, 1]


@pytest.mark.parametrize(("low", "high"), [(-127, 127), (0, 255), (-2, 3)])
def test_rounding_goes_to_the_nearest_and_halves_go_up(low: int, high: int) -> None:
    x = np.concatenate([np.arange(low - 2, high + 2, 0.25), [NAN, np.inf, -np.inf]])
    expected = np.clip(np.floor(np.nan_to_num(x, nan=low - 9, posinf=999, neginf=-999) + 0.5), low, high)
    assert list(run(lambda d, v: word.rounded(v, low, high), x)) == list(expected)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**15 - 1), st.integers(8, 31))
def test_requantising_rounds_the_exact_product(total: int, scale: int, shift: int) -> None:
    def make(draft: Draft, x: Node) -> Node:
        scaling = draft.param("scale", scale, "i32", low=0, high=2**15 - 1)
        return word.requantised(x, scaling, shift, -127)

    exact = (total * scale + (1 << (shift - 1))) >> shift
    assert list(run(make, np.array([total]), "i32")) == [min(127, max(-127, exact))]


@pytest.mark.parametrize(("most", "dtype"), [(255, "u8"), (256, "i16"), (32_767, "i16"), (32_768, "i32")])
def test_what_is_counted_takes_no_more_bytes_than_it_needs(most: int, dtype: str) -> None:
    draft = Draft("word")
    draft.output("y", word.counted(draft, letter.lt(draft.input("x"), 1.0), most))
    (state,) = draft.finish().states
    assert (state.dtype, state.high) == (dtype, most)


def test_a_count_stays_at_the_most_there_is() -> None:
    y = run(lambda d, x: word.counted(d, letter.lt(x, 1.0), 255), [0.0] * 300 + [2.0, 0.0])
    assert list(y[253:257]) == [254, 255, 255, 255]
    assert list(y[-2:]) == [0, 1]
