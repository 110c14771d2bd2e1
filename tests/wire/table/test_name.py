"""Headings: the name, the unit in UCUM, what is measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.wire.table.name import plain_name, read_name, words_of
from bimetal.wire.table.unit import find_unit


@pytest.mark.parametrize(
    ("heading", "name", "unit", "quantity"),
    [
        ("temp (°C)", "temp", "Cel", "temperature"),
        ("pressure [bar]", "pressure", "bar", "pressure"),
        ("vib_mm_s", "vib_mm_s", "mm/s", "vibration"),
        ("Current_A", "Current_A", "A", "current"),
        ("T_degC", "T_degC", "Cel", "temperature"),
        ("Usage_kWh", "Usage_kWh", "kW.h", "energy"),
        ("tempC", "tempC", "Cel", "temperature"),
        ("acc_g", "acc_g", "[g]", "acceleration"),
        ("Temperature in °C", "Temperature", "Cel", "temperature"),
        ("Temp, °F", "Temp", "[degF]", "temperature"),
        ("Humidity %", "Humidity", "%", "humidity"),
        ("Rotational speed [rpm]", "Rotational speed", "/min", "rotation"),
        ("ENGINE_RPM ()", "ENGINE_RPM", "/min", "rotation"),
        ("pressure(bar(g))", "pressure", "bar", "pressure"),
        ("flow_l_min", "flow_l_min", "L/min", "flow"),
        ("Größe (µm)", "Größe", "um", "length"),
        ("time_ms", "time_ms", "ms", "time"),
        ("\ufeffDruck [mbar]", "Druck", "mbar", "pressure"),
    ],
)
def test_a_heading_taken_apart(heading: str, name: str, unit: str, quantity: str) -> None:
    found = read_name(heading)
    assert (found.text, found.unit, found.quantity) == (name, unit, quantity)


@pytest.mark.parametrize(
    "heading",
    [
        "Phase_A",
        "PhaseC",
        "load_min",
        "CO(GT)",
        "PT08.S1(CO)",
        "V1",
        "x",
        "PM2_5",
        "sensor_T",
        "no",
        "HumidityRatio",
    ],
)
def test_what_is_no_unit(heading: str) -> None:
    assert read_name(heading) == read_name(heading).__class__(heading, "", read_name(heading).quantity)


@pytest.mark.parametrize(
    ("one", "other", "value", "converted"),
    [
        ("°C", "K", 20, 293.15),
        ("°F", "°C", 212, 100),
        ("psi", "bar", 100, 6.894757),
        ("mm/s", "m/s", 4, 0.004),
        ("kWh", "J", 1, 3.6e6),
        ("rpm", "/min", 7, 7),
        ("mg/m3", "ug/m3", 1, 1000),
    ],
)
def test_units_convert(one: str, other: str, value: float, converted: float) -> None:
    here, there = find_unit(one), find_unit(other)
    assert here is not None
    assert there is not None
    factor, offset = here.convert(there)
    assert value * factor + offset == pytest.approx(converted, rel=1e-6)


@pytest.mark.parametrize(
    ("spelling", "code"),
    [("RPM", "/min"), ("mW", "mW"), ("MW", "MW"), ("KWH", "kW.h"), ("m/s²", "m/s2"), ("kW·h", "kW.h")],
)
def test_case_differs_only_where_it_cannot_be_mistaken(spelling: str, code: str) -> None:
    unit = find_unit(spelling)
    assert unit is not None
    assert unit.code == code
    assert find_unit("mw") is None


def test_words_and_plain_names() -> None:
    assert words_of("flowRate_2 [bar]") == ("flow", "rate", "2", "bar")
    assert plain_name("  Volume Flow-RateRMS ") == plain_name("volume_flow_raterms")


@given(st.text(max_size=80))
def test_no_heading_breaks_it(heading: str) -> None:
    assert isinstance(read_name(heading).text, str)
