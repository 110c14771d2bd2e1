"""Shaped: a few lines of TOML say where readings are in JSON of any shape."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.wire.codecs.shaped import ShapedCodec, shape_of

NOW_NS = 1_767_225_600_000_000_000
TOML = """
rows = "data.samples"
time = "at"
time_unit = "s"

[signals]
temperature = "values.t"
pressure = "values.ps.1"
running = "on"
"""


def read(toml: str, *messages: object) -> tuple[list[int], list[list[float]], list[str]]:
    """Times, values, and why messages were set aside."""
    payloads = [json.dumps(m).encode() for m in messages]
    said = ShapedCodec(shape_of(toml)).decode("a", payloads, [NOW_NS] * len(payloads))
    return said.time_ns.tolist(), said.values.tolist(), [q.reason for q in said.quarantined]


def test_readings_are_found_where_the_shape_says() -> None:
    rows = [
        {"at": 1_767_225_600, "values": {"t": 21.5, "ps": [0, 3.25]}, "on": True, "other": "x"},
        {"at": 1_767_225_601.5, "values": {"t": "22,5", "ps": [0]}, "on": None},
        {"at": 1_767_225_602, "values": {}},
    ]
    times, values, wrong = read(TOML, {"data": {"samples": rows}, "id": 7})
    assert wrong == []
    assert times == [NOW_NS, NOW_NS + 1_500_000_000]
    np.testing.assert_array_equal(values, [[21.5, 3.25, 1.0], [22.5, np.nan, np.nan]])


@pytest.mark.parametrize(
    ("unit", "said", "time_ns"),
    [
        ("s", 1_767_225_600, NOW_NS),
        ("ms", 1_767_225_600_000, NOW_NS),
        ("us", 1_767_225_600_000_001, NOW_NS + 1_000),
        ("ns", NOW_NS + 1, NOW_NS + 1),
        ("iso", "2026-01-01T00:00:00Z", NOW_NS),
        ("s", "2026-01-01T00:00:00Z", NOW_NS),
        ("s", None, NOW_NS),
    ],
)
@pytest.mark.parametrize("of_all", [False, True])
def test_a_time_is_read_in_its_unit_from_the_row_or_the_message(
    unit: str, said: object, time_ns: int, of_all: bool
) -> None:
    toml = (
        f'rows = "r"\ntime = "{"/sent" if of_all else "sent"}.at"\ntime_unit = "{unit}"\n[signals]\na = "a"\n'
    )
    row = {"a": 1.0} if of_all else {"a": 1.0, "sent": {"at": said}}
    message = {"r": row} | ({"sent": {"at": said}} if of_all else {})
    assert read(toml, message) == ([time_ns], [[1.0]], [])


def test_without_rows_a_message_is_one_and_an_array_is_many() -> None:
    toml = '[signals]\na = "x.a"\n'
    assert read(toml, {"x": {"a": 1}}, [{"x": {"a": 2}}, {"x": {"a": 3}}]) == (
        [NOW_NS] * 3,
        [[1.0], [2.0], [3.0]],
        [],
    )


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({}, "nothing at"),
        ({"data": {"samples": []}}, "nothing at"),
        ({"data": {"samples": [{"values": 3}]}}, "no signal"),
        ({"data": {"samples": "text"}}, "no signal"),
        ({"data": {"samples": [{"at": -5, "on": 1}]}}, "no time"),
        ({"data": {"samples": [{"at": True, "on": 1}]}}, "no time"),
        ({"data": {"samples": [{"at": 10**30, "on": 1}]}}, "no time"),
        ({"data": {"samples": [{"at": {}, "on": 1}]}}, "no time"),
        ({"data": {"samples": [{"on": 1}] * 100_001}}, "100,000 rows"),
    ],
)
def test_what_does_not_have_the_shape_is_set_aside_in_words(message: object, why: str) -> None:
    times, _, wrong = read(TOML, message)
    assert times == []
    assert why in wrong[0]


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("rows = ", "TOML"),
        ("", "signals"),
        ("[signals]\n", "signals"),
        ("signals = 3", "signals"),
        ('[signals]\na = ""', "no path"),
        ('[signals]\na = "b..c"', "no path"),
        ("[signals]\na = 3", "no path"),
        ('rows = 3\n[signals]\na = "a"', "no path"),
        ('time = "/"\n[signals]\na = "a"', "no path"),
        ('time_unit = "min"\n[signals]\na = "a"', "unit"),
        ('colour = "red"\n[signals]\na = "a"', "colour"),
    ],
)
def test_a_shape_that_is_none_is_said(toml: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        shape_of(toml, "map.toml")
