"""Constants read by a computed index: stored once, narrowly, under names that no value has."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.targets.loops import statements
from bimetal.targets.lower import lower
from bimetal.targets.table import Tables, narrowest


@pytest.mark.parametrize(
    ("values", "dtype", "stored"),
    [
        ([0, 255], "i32", "u8"),
        ([-128, 127], "i32", "i8"),
        ([-1, 128], "i32", "i16"),
        ([-(2**15), 2**15 - 1], "i32", "i16"),
        ([0, 2**15], "i32", "i32"),
        ([-(2**31), 2**31 - 1], "i32", "i32"),
        ([1.0, 2.0], "f32", "f32"),
        ([True, False], "b1", "b1"),
    ],
)
def test_numbers_are_stored_as_narrowly_as_they_can_be(values: list[float], dtype: str, stored: str) -> None:
    node = letter.const(values, dtype)
    assert narrowest(node) == stored
    tables = Tables()
    tables.of(node)
    (table,) = tables.found
    assert list(table.values) == values


def test_equal_tables_are_one() -> None:
    tables = Tables()
    first = tables.of(letter.const([1, 2, 3], "i32"))
    assert tables.of(letter.const([1, 2, 3], "i32")) == first
    assert tables.of(letter.const([1.0, 2.0, 3.0], "f32")) != first
    assert len(tables.found) == 2


def test_minus_zero_is_not_zero() -> None:
    tables = Tables()
    tables.of(letter.const([0.0, 1.0], "f32"))
    tables.of(letter.const([-0.0, 1.0], "f32"))
    assert [np.signbit(t.values[0]) for t in tables.found] == [False, True]


def test_no_value_has_the_name_of_a_table() -> None:
    draft = Draft("table")
    x = draft.input("table", "i32")
    k = word.clip(x, 0, 4)
    draft.output("y", letter.gather(letter.const([2, 3, 5, 7, 11], "i32"), k))
    draft.output("large", letter.lt(k, x))
    program = draft.finish()
    lowered = lower(program, check(program).ranges)
    named = {s.name for s in statements(lowered.stages[0].body) if hasattr(s, "name")}
    assert "table_1" in named
    assert not named & {t.buf.name for t in lowered.tables}
