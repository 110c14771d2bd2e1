"""Interval: between which values a letter's elements lie, and whether one may be NaN.

f32 bounds are exact: rounding to nearest is monotone, so each bound is the f32 operation itself on
the bounds of its arguments, never a wider or narrower double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.node import DTYPES
from bimetal.program.program import bounds_of

INFINITY = float("inf")
Single = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """Every element that is not NaN lies in low..high; `nan` says whether one may be NaN.

    Bounds are whole numbers for integer types, f32 values (infinities included) for f32.
    """

    low: float
    high: float
    nan: bool = False

    def join(self, other: Interval) -> Interval:
        """Return the interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high), self.nan or other.nan)

    def inside(self, low: float, high: float) -> bool:
        """Say whether no element leaves low..high; NaN is not asked about."""
        return low <= self.low and self.high <= high

    def holds(self, value: float) -> bool:
        """Say whether an element may have this value."""
        return self.low <= value <= self.high

    @property
    def infinite(self) -> bool:
        """Say whether an element may be an infinity."""
        return self.low == -INFINITY or self.high == INFINITY

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{' or NaN' if self.nan else ''}"


ANY_FLOAT = Interval(-INFINITY, INFINITY, True)


def whole_of(dtype: str) -> Interval:
    """Return the interval of all values of a type: for f32 NaN and the infinities too."""
    return ANY_FLOAT if dtype == "f32" else Interval(*bounds_of(dtype))


def interval_of(values: NDArray[Any], dtype: str) -> Interval:
    """Return the interval of known values."""
    if dtype != "f32":
        return Interval(int(values.min()), int(values.max()))
    gaps = np.isnan(values)
    known = values[~gaps]
    if not known.size:
        return Interval(0.0, 0.0, True)
    return Interval(float(known.min()), float(known.max()), bool(gaps.any()))


def declared(low: float, high: float, dtype: str) -> Interval:
    """Return the interval of the values of a type within a declared range; for f32 without NaN."""
    if dtype != "f32":
        least, most = bounds_of(dtype)
        return Interval(max(int(least), _ceil(low)), min(int(most), -_ceil(-high)))
    with np.errstate(over="ignore"):
        single_low, single_high = np.float32(low), np.float32(high)
    if float(single_low) < low:
        single_low = np.nextafter(single_low, np.float32(np.inf))
    if float(single_high) > high:
        single_high = np.nextafter(single_high, np.float32(-np.inf))
    return Interval(float(single_low), float(single_high))


def hull(values: Iterable[float]) -> Interval:
    """Return the interval of the bounds found, leaving out those that are NaN."""
    known = [v for v in values if v == v]
    return Interval(min(known), max(known)) if known else Interval(0.0, 0.0)


def corners(operation: Single, a: Interval, b: Interval) -> Interval:
    """Return the f32 interval of an operation that is monotone in both arguments, NaN apart."""
    with np.errstate(all="ignore"):
        pairs = [(np.float32(x), np.float32(y)) for x in (a.low, a.high) for y in (b.low, b.high)]
        return hull(float(operation(x, y)) for x, y in pairs)


def add_f32(a: Interval, b: Interval) -> Interval:
    """Return the interval of a + b."""
    opposite = (a.high == INFINITY and b.low == -INFINITY) or (a.low == -INFINITY and b.high == INFINITY)
    with np.errstate(all="ignore"):
        low = float(np.float32(a.low) + np.float32(b.low))
        high = float(np.float32(a.high) + np.float32(b.high))
    return Interval(
        low if low == low else -INFINITY,
        high if high == high else INFINITY,
        a.nan or b.nan or opposite,
    )


def neg(a: Interval) -> Interval:
    """Return the interval of -a."""
    return Interval(-a.high, -a.low, a.nan)


def mul_f32(a: Interval, b: Interval) -> Interval:
    """Return the interval of a * b; 0 * infinity is NaN."""
    mixed = (a.infinite and b.holds(0)) or (b.infinite and a.holds(0))
    found = corners(lambda x, y: x * y, a, b)
    if mixed:
        found = found.join(Interval(0.0, 0.0))
    return Interval(found.low, found.high, a.nan or b.nan or mixed)


def div_f32(a: Interval, b: Interval) -> Interval:
    """Return the interval of a / b; 0 / 0 and infinity / infinity are NaN."""
    nan = a.nan or b.nan or (a.infinite and b.infinite)
    if b.holds(0):
        return Interval(-INFINITY, INFINITY, nan or a.holds(0))
    found = corners(lambda x, y: x / y, a, b)
    return Interval(found.low, found.high, nan)


def sqrt_f32(a: Interval) -> Interval:
    """Return the interval of the square root; that of a negative number is NaN."""
    low, high = np.sqrt(np.float32(max(a.low, 0))), np.sqrt(np.float32(max(a.high, 0)))
    return Interval(float(low), float(high), a.nan or a.low < 0)


def total_f32(a: Interval, count: int) -> Interval:
    """Return the interval of the left-to-right sum of `count` elements.

    Rounding moves a sum of n equal signs by at most a factor (1 + 2**-24)**(n - 1); twice the exponent
    is allowed for here.
    """
    grow, shrink = (1 + 2.0**-23) ** count, (1 - 2.0**-23) ** count
    low = count * a.low * (grow if a.low < 0 else shrink)
    high = count * a.high * (grow if a.high > 0 else shrink)
    found = Interval(_outward(low, -1), _outward(high, 1))
    clash = (a.low == -INFINITY and found.high == INFINITY) or (a.high == INFINITY and found.low == -INFINITY)
    return Interval(found.low, found.high, a.nan or (clash and count > 1))


def mul_whole(a: Interval, b: Interval) -> Interval:
    """Return the interval of a product of whole numbers, however large."""
    products = [int(x) * int(y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(products), max(products))


def least(a: Interval, b: Interval) -> Interval:
    """Return the interval of b < a ? b : a, which is a where b is NaN."""
    high = a.high if b.nan else min(a.high, b.high)
    return Interval(min(a.low, b.low), high, a.nan)


def most(a: Interval, b: Interval) -> Interval:
    """Return the interval of a < b ? b : a, which is a where b is NaN."""
    low = a.low if b.nan else max(a.low, b.low)
    return Interval(low, max(a.high, b.high), a.nan)


def bits_of(a: Interval, dtype: str) -> Interval:
    """Return the interval of the same 32 bits read as `dtype`: tight for positive numbers only."""
    to_float = dtype == "f32"
    source, target = (DTYPES["i32"], DTYPES["f32"]) if to_float else (DTYPES["f32"], DTYPES["i32"])
    tight = (a.low >= 0 and a.high <= 0x7F800000) if to_float else (a.low > 0 and not a.nan)
    if not tight:
        return whole_of(dtype)
    low, high = np.array([a.low, a.high]).astype(source).view(target)
    return Interval(float(low), float(high)) if to_float else Interval(int(low), int(high))


def _outward(bound: float, sign: int) -> float:
    """Round a bound to f32 away from the inside."""
    with np.errstate(all="ignore"):
        single = np.float32(bound)
        if float(single) == bound:
            return float(single)
        return float(np.nextafter(single, np.float32(sign * INFINITY)))


def _ceil(value: float) -> int:
    """Return the least whole number not below a value, infinities kept near."""
    return int(np.ceil(max(-(2.0**40), min(2.0**40, value))))
