"""Intervals hold every value that can come: tried with the operations themselves on awkward values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.program import interval as of
from bimetal.program.interval import ANY_FLOAT, INFINITY, Interval

MOST = float(np.finfo(np.float32).max)
singles = st.floats(width=32, allow_nan=False)
f32 = np.float32


@st.composite
def interval_with_value(draw: st.DrawFn) -> tuple[Interval, np.float32]:
    """An interval and one value in it, NaN among them where it may be."""
    a, b, c = sorted(draw(st.tuples(singles, singles, singles)))
    nan = draw(st.booleans())
    return Interval(a, c, nan), f32("nan") if nan and draw(st.booleans()) else f32(b)


def holds(found: Interval, value: Any) -> bool:
    """Whether an interval allows a value."""
    return found.nan if np.isnan(value) else found.low <= float(value) <= found.high


BINARY: dict[str, tuple[Callable[..., Interval], Callable[..., Any]]] = {
    "add": (of.add_f32, lambda a, b: a + b),
    "mul": (of.mul_f32, lambda a, b: a * b),
    "div": (of.div_f32, lambda a, b: a / b),
    "min": (of.least, lambda a, b: b if b < a else a),
    "max": (of.most, lambda a, b: b if a < b else a),
}


@pytest.mark.parametrize("name", BINARY)
@given(x=interval_with_value(), y=interval_with_value())
def test_two_arguments(name: str, x: tuple[Interval, Any], y: tuple[Interval, Any]) -> None:
    rule, operation = BINARY[name]
    with np.errstate(all="ignore"):
        assert holds(rule(x[0], y[0]), operation(x[1], y[1]))


EDGES = [0.0, -0.0, 1.0, -1.0, 2.0**-149, MOST, -MOST, INFINITY, -INFINITY]


@pytest.mark.parametrize("name", BINARY)
def test_two_arguments_at_the_edges(name: str) -> None:
    rule, operation = BINARY[name]
    intervals = [Interval(a, b) for a in EDGES for b in EDGES if a <= b]
    with np.errstate(all="ignore"):
        for x in intervals:
            for y in intervals:
                found = rule(x, y)
                for a in (x.low, x.high, 0.0 if x.holds(0) else x.low):
                    for b in (y.low, y.high, 0.0 if y.holds(0) else y.high):
                        assert holds(found, operation(f32(a), f32(b))), (x, y, a, b, found)


@given(interval_with_value())
def test_one_argument(x: tuple[Interval, Any]) -> None:
    with np.errstate(all="ignore"):
        assert holds(of.sqrt_f32(x[0]), np.sqrt(x[1]))
    assert holds(of.neg(x[0]), -x[1])


@given(interval_with_value(), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_a_sum_of_many(x: tuple[Interval, Any], count: int, seed: int) -> None:
    interval, _ = x
    ends = np.array([interval.low, interval.high, *([np.nan] if interval.nan else [])], np.float32)
    values = np.random.default_rng(seed).choice(ends, count)
    with np.errstate(all="ignore"):
        assert holds(of.total_f32(interval, count), np.add.accumulate(values)[-1])


@given(interval_with_value())
def test_bits(x: tuple[Interval, Any]) -> None:
    interval, value = x
    if not np.isnan(value):
        raw = int(np.array([value]).view(np.int32)[0])
        assert holds(of.bits_of(interval, "i32"), raw)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**31))
def test_bits_back(low: int, wide: int) -> None:
    high = min(low + wide, 2**31 - 1)
    found = of.bits_of(Interval(low, high), "f32")
    for raw in (low, high, (low + high) // 2):
        assert holds(found, np.array([raw], np.int32).view(np.float32)[0])


def test_bits_of_positive_numbers_are_tight() -> None:
    assert of.bits_of(Interval(2.0**-126, MOST), "i32") == Interval(0x00800000, 0x7F7FFFFF)
    assert of.bits_of(Interval(0x3F800000, 0x3FFFFFFF), "f32") == Interval(
        1.0, float(np.nextafter(f32(2), f32(1)))
    )


def test_nan_comes_from_where_it_does() -> None:
    finite, any_finite = Interval(1.0, 2.0), Interval(-MOST, MOST)
    assert not of.add_f32(any_finite, any_finite).nan
    assert of.add_f32(any_finite, any_finite) == Interval(-INFINITY, INFINITY)
    assert of.add_f32(Interval(-INFINITY, 0), Interval(0, INFINITY)).nan
    assert of.mul_f32(Interval(0, 1), Interval(1, INFINITY)).nan
    assert not of.mul_f32(finite, Interval(1, INFINITY)).nan
    assert of.div_f32(Interval(0, 1), Interval(0, 1)).nan
    assert not of.div_f32(finite, Interval(0, 1)).nan
    assert of.sqrt_f32(Interval(-1.0, 4.0)) == Interval(0.0, 2.0, True)


def test_a_clip_with_its_constants_first_stops_nan_and_the_other_way_round_does_not() -> None:
    low, high = Interval(0.0, 0.0), Interval(5.0, 5.0)
    assert of.least(high, of.most(low, ANY_FLOAT)) == Interval(0.0, 5.0)
    assert of.least(of.most(ANY_FLOAT, low), high).nan


def test_declared_bounds_are_rounded_inwards() -> None:
    found = of.declared(0.1, 0.1 + 1e-12, "f32")
    assert found.low > found.high or 0.1 <= found.low <= found.high
    assert of.declared(0.1, 0.3, "f32").low == float(f32(0.1))
    assert of.declared(-0.1, 0.3, "f32").low == float(np.nextafter(f32(-0.1), f32(1)))
    assert of.declared(0.5, 2.5, "i32") == Interval(1, 2)
    assert of.declared(-INFINITY, INFINITY, "u8") == Interval(0, 255)
    assert of.declared(-INFINITY, INFINITY, "f32") == Interval(-INFINITY, INFINITY)


def test_known_values() -> None:
    assert of.interval_of(np.array([3, 1, 2], np.int32), "i32") == Interval(1, 3)
    assert of.interval_of(np.array([np.nan, 1.0], np.float32), "f32") == Interval(1.0, 1.0, True)
    assert of.interval_of(np.array([np.nan], np.float32), "f32").nan


def test_products_of_whole_numbers_are_not_rounded() -> None:
    most = 2**31 - 1
    assert of.mul_whole(Interval(-most, most), Interval(most, most)).high == most * most
