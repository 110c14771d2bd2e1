"""Letters on arrays: what needs nothing but constants has a value; bytes are read and written alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.program import letter
from bimetal.program.program import Draft
from bimetal.targets.numpy_letter import evaluate, loaded, stored
from tests.targets.given import bits


def test_constants_have_values() -> None:
    table = letter.const([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]], "f32")
    assert evaluate(letter.reduce(table)).tolist() == [7.0, 56.0]
    assert evaluate(letter.gather(table, letter.const(1, "i32"))).tolist() == [8.0, 16.0, 32.0]
    assert evaluate(letter.slice_(table, 2, -1, -2, axis=1)).tolist() == [[4.0, 1.0], [32.0, 8.0]]
    (last,) = letter.scan(4, [letter.const(1, "i32")], lambda h, k: [letter.add(h[0], letter.mul(h[0], k))])
    assert evaluate(last) == 24
    assert evaluate(letter.each(3, lambda k: letter.mul(k, k))).tolist() == [0, 1, 4]


def test_what_is_fed_in_has_none() -> None:
    draft = Draft("fed")
    with pytest.raises(KeyError):
        evaluate(letter.neg(draft.input("x")))


def test_sums_go_from_left_to_right() -> None:
    values = np.array([1e8, 1.0, -1e8, 1.0], np.float32)
    assert evaluate(letter.reduce(letter.const(values, "f32"))) == 1.0


@given(st.floats(width=32))
def test_a_float_is_written_as_it_was_unless_it_is_nan(value: float) -> None:
    given_ = np.array([value], np.float32)
    expected = 0x7FC00000 if np.isnan(value) else bits(given_)[0]
    assert bits(stored(given_)) == [expected]


def test_bytes_become_truth_and_truth_bytes() -> None:
    assert loaded(np.array([0, 1, 7], np.uint8), "b1").tolist() == [False, True, True]
    assert stored(np.array([False, True])).tolist() == [0, 1]


def test_what_is_loaded_is_a_copy() -> None:
    raw = np.array([1, 2], np.int16)
    taken = loaded(raw, "i16")
    raw[0] = 9
    assert taken.tolist() == [1, 2]
