"""One cell: its number, nothing, or no number; and every faster way says the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.wire.table.cell import Marks, number_of, numbers_of, switch_of, switches_of

POINT, COMMA = Marks("."), Marks(",")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1", 1),
        ("-2.5", -2.5),
        ("+3", 3),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("1.5E-3", 0.0015),
        (" 7 ", 7),
        ('"8"', 8),
        ("12.3 °C", 12.3),
        ("12,3°C", 12.3),
        ("45 %", 45),
        ("4.1mm/s", 4.1),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("2,6", 2.6),
        ("1'234.5", 1234.5),
        ("1\u00a0000", 1000),
        ("1\u202f234,5", 1234.5),
        ("\u22125", -5),
        ("0,123", 0.123),
        ("1 000", 1000),
    ],
)
def test_a_number_in_many_dresses(cell: str, number: float) -> None:
    assert number_of(cell, POINT) == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1.234", 1234), ("1.234,5", 1234.5), ("2,6", 2.6), ("1.5", 1.5), ("12", 12), ("1,234", 1.234)],
)
def test_where_the_comma_is_the_decimal_mark(cell: str, number: float) -> None:
    assert number_of(cell, COMMA) == number


@pytest.mark.parametrize(
    "cell",
    ["", "  ", "NaN", "nan", "NULL", "None", "-", "--", "?", "n/a", "#N/A", "unavailable", '""', "1.#QNAN"],
)
def test_words_for_nothing(cell: str) -> None:
    number = number_of(cell, POINT)
    assert number is not None
    assert math.isnan(number)


@pytest.mark.parametrize(
    "cell",
    [
        "abc",
        "1_000",
        "0x10",
        "1D5",
        "12:30",
        "2020-01-01",
        "M14860",
        "1.2.3",
        "1,2,3",
        "٣",
        "5 apples",
        "1e",
        "--5",
        "1 2",
    ],
)
def test_what_is_no_number(cell: str) -> None:
    assert number_of(cell, POINT) is None


@pytest.mark.parametrize(
    ("cell", "sign"), [("inf", 1), ("-Infinity", -1), ("1e999", 1), ("∞", 1), ("1.#INF", 1)]
)
def test_infinities_are_told_apart_from_nothing(cell: str, sign: int) -> None:
    assert number_of(cell, POINT) == sign * math.inf


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([POINT, COMMA]))
def test_what_python_writes_is_read_back(number: float, marks: Marks) -> None:
    written = repr(number).replace(".", marks.decimal)
    assert number_of(written, marks) == number


@given(st.lists(st.one_of(st.floats().map(repr), st.text(max_size=6), st.integers().map(str)), min_size=1))
def test_a_column_at_once_is_its_cells_one_by_one(cells: list[str]) -> None:
    for marks in (POINT, COMMA):
        one_by_one = [number_of(c, marks) for c in cells]
        values, bad = numbers_of(cells, marks)
        assert bad == sum(v is None for v in one_by_one)
        np.testing.assert_array_equal(values, [math.nan if v is None else v for v in one_by_one])


@given(st.text(max_size=200))
def test_no_text_breaks_it(cell: str) -> None:
    assert number_of(cell, POINT) is None or isinstance(number_of(cell, POINT), float)


def test_switches_in_words() -> None:
    values = switches_of([" ON", "off", "", "1", "false  "])
    assert values is not None
    np.testing.assert_array_equal(values, [1, 0, math.nan, 1, 0])


@pytest.mark.parametrize("cells", [["0", "1", "1"], ["on", "off", "auto"], ["a", "b"], ["", "1"]])
def test_what_is_no_switch(cells: list[str]) -> None:
    assert switches_of(cells) is None


def test_a_strange_word_in_a_column_of_switches_is_missing() -> None:
    assert math.isnan(switch_of("jammed"))
    assert switch_of("Open") == 1
