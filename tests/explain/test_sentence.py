"""Sentences: what a person reads when something is wrong."""

from __future__ import annotations

import math

import pytest

from bimetal.explain.sentence import number_text, process_sentence, sensor_sentence, span_text, unit_text
from bimetal.nouns.event import Fault, Reason
from bimetal.nouns.signal import Signal

HEAT = Reason("temperature", 0.7, 91.25, 40.0, 60.0, "Cel")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.25 s"), (90, "90 s"), (720, "12 minutes"), (12600, "3.5 hours"), (864000, "10 days")],
)
def test_lengths_of_time_are_said_plainly(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (91.2512, 20.0, "91"),
        (91.2512, 2.0, "91.3"),
        (0.00123456, 0.001, "0.00123"),
        (1234.5678, 0.0, "1235"),
        (1e9, 1.0, "1e+09"),
        (math.nan, 1.0, "nothing"),
        (math.inf, 1.0, "inf"),
        (1.0, math.inf, "1"),
    ],
)
def test_numbers_have_the_digits_their_range_is_worth(value: float, width: float, text: str) -> None:
    assert number_text(value, width)[: len(text)] == text


def test_the_first_signal_is_told_with_its_value_and_what_is_usual() -> None:
    told = process_sentence("pump-1", (HEAT, Reason("current", 0.2, 9.0, 10.0, 14.0, "A")), alone=False)
    assert told.startswith("pump-1: temperature 91")
    assert "far above its usual 40" in told
    assert "°C" in told
    assert "70% of the alarm" in told
    assert told.endswith("; current is also low.")


def test_a_value_within_its_range_is_told_apart() -> None:
    inside = Reason("x", 0.9, 5.0, 0.0, 10.0)
    assert "does not fit the others" in process_sentence("d", (inside,), alone=False)
    assert "moves in an unusual way" in process_sentence("d", (inside,), alone=True)
    assert "gone missing" in process_sentence("d", (Reason("x", 1.0, math.nan, 0.0, 1.0),), alone=True)
    assert process_sentence("d", (), alone=True) == "d: the readings are unusual."


def test_small_parts_are_not_named() -> None:
    told = process_sentence("d", (HEAT, Reason("y", 0.05, 2.0, 0.0, 1.0)), alone=False)
    assert "y" not in told.split("alarm)")[1]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.STUCK, "has repeated 4.2 bar for 12 minutes"),
        (Fault.MISSING, "has been silent for 12 minutes"),
        (Fault.OUT_OF_RANGE, "says 4.2 bar, which it cannot have measured"),
    ],
)
def test_a_sensor_is_said_to_be_wrong_in_its_own_way(fault: Fault, words: str) -> None:
    assert (
        sensor_sentence("d", Signal("pressure", "bar"), fault, 4.2, 720) == f"d: the pressure sensor {words}."
    )


def test_units_are_written_as_people_do() -> None:
    assert unit_text("Cel") == "°C"
    assert unit_text("bar") == "bar"
