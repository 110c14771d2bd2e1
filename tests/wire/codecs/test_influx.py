"""Influx: lines as devices and Telegraf send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.wire.codecs.influx import InfluxCodec

NOW_NS = 1_767_225_600_000_000_000


def read(text: str) -> dict[tuple[int, str], float]:
    """What is in lines, by time and signal."""
    said = InfluxCodec().decode("a", [text.encode()], [NOW_NS])
    assert said.quarantined == ()
    return {
        (t, n): v
        for t, row in zip(said.time_ns.tolist(), said.values.tolist(), strict=True)
        for n, v in zip(said.signals, row, strict=True)
        if v == v
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temperature value=21.5 1000", {(1000, "temperature"): 21.5}),
        ("pump,host=x flow=48,pressure=3.2e0 7", {(7, "pump.flow"): 48.0, (7, "pump.pressure"): 3.2}),
        (
            "cpu,host=x,cpu=cpu0 usage=1\ncpu,host=x,cpu=cpu1 usage=2",
            {(NOW_NS, "cpu,cpu=cpu0.usage"): 1.0, (NOW_NS, "cpu,cpu=cpu1.usage"): 2.0},
        ),
        ("a b=1i,c=2u,d=-3i 5\r\n", {(5, "a.b"): 1.0, (5, "a.c"): 2.0, (5, "a.d"): -3.0}),
        ("a t=t,T=TRUE,f=f,F=False 5", {(5, "a.t"): 1.0, (5, "a.T"): 1.0, (5, "a.f"): 0.0, (5, "a.F"): 0.0}),
        ('a x="1, 2=\\"3\\" 4",y=2 5', {(5, "a.y"): 2.0}),
        ("my\\ pump,room\\=1=a\\,b flow\\ rate=2 5", {(5, "my pump,room=1=a,b.flow rate"): 2.0}),
        ("# a remark\n\n a x=1 5 ", {(5, "a.x"): 1.0}),
        ("größe α=1 5", {(5, "größe.α"): 1.0}),
        ("a x=.5,y=5.,z=+1 5", {(5, "a.x"): 0.5, (5, "a.y"): 5.0, (5, "a.z"): 1.0}),
        ("a x=1 5\nb x=2 5", {(5, "a.x"): 1.0, (5, "b.x"): 2.0}),
    ],
)
def test_lines_are_read(text: str, expected: dict[tuple[int, str], float]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a", "no measurement"),
        ("a,b=1", "no measurement"),
        ("a, b=1", "no measurement"),
        ("a b", "field"),
        ("a b=", "field"),
        ("a b=1,", "field"),
        ("a b=x", "no value"),
        ("a b=0x10", "no value"),
        ("a b=nan", "no value"),
        ("a b=1_000", "no value"),
        ("a b=\u0663", "no value"),
        ('a b="x', "field"),
        ('a b="x" 5', "no field"),
        ("a b=1 x", "no time"),
        ("a b=1 -5", "no time"),
        ("a b=1 99999999999999999999", "no time"),
        ("a b=1 5 6", "no time"),
        ("a b=1 5\nb", "line 2"),
    ],
)
def test_a_line_that_is_none_is_named(text: str, why: str) -> None:
    (found,) = InfluxCodec().decode("a", [text.encode()], [NOW_NS]).quarantined
    assert why in found.reason


@given(st.text(max_size=80))
def test_no_text_is_too_odd(text: str) -> None:
    said = InfluxCodec().decode("a", [text.encode("utf-8", "surrogatepass"), b"a b=1 5"], [NOW_NS] * 2)
    assert 1 in said.message


@pytest.mark.parametrize(
    "text",
    ["a," * 50_000, "a " + "b=1," * 50_000 + '"', "a b=" + '"' * 90_000, "\\" * 90_000, "a,b=" * 50_000],
)
def test_long_lines_that_lead_nowhere_take_no_time(text: str) -> None:
    import time

    begun = time.process_time()
    assert InfluxCodec().decode("a", [text.encode()], [NOW_NS]).quarantined
    assert time.process_time() - begun < 2
