"""Rule: what each letter makes of the intervals of its arguments, and what it must not meet."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce as fold

import numpy as np

from bimetal.program import interval as of
from bimetal.program.interval import Interval
from bimetal.program.node import Node
from bimetal.program.program import bounds_of

Rule = Callable[[Node, list[Interval]], Interval]
BIT = Interval(0, 1)


def _add(node: Node, p: list[Interval]) -> Interval:
    if node.dtype == "f32":
        return of.add_f32(p[0], p[1])
    return Interval(p[0].low + p[1].low, p[0].high + p[1].high)


def _mul(node: Node, p: list[Interval]) -> Interval:
    found = of.mul_f32(p[0], p[1]) if node.dtype == "f32" else of.mul_whole(p[0], p[1])
    if node.args[0] is node.args[1]:
        return Interval(max(found.low, 0), found.high, p[0].nan)
    return found


def _less(node: Node, p: list[Interval]) -> Interval:
    """Decide lt and le where the intervals do not overlap; a NaN makes them false."""
    strict = node.op == "lt"
    if p[0].high < p[1].low or (not strict and p[0].high <= p[1].low):
        return BIT if p[0].nan or p[1].nan else Interval(1, 1)
    if p[0].low > p[1].high or (strict and p[0].low >= p[1].high):
        return Interval(0, 0)
    return BIT


def _band(_: Node, p: list[Interval]) -> Interval:
    bounds = [x.high for x in p if x.low >= 0]
    return Interval(0, min(bounds)) if bounds else of.whole_of("i32")


def _bor(_: Node, p: list[Interval]) -> Interval:
    if min(x.low for x in p) < 0:
        return of.whole_of("i32")
    return Interval(max(x.low for x in p), (1 << int(max(x.high for x in p)).bit_length()) - 1)


def _shl(node: Node, p: list[Interval]) -> Interval:
    found = Interval(int(p[0].low) << node.attr, int(p[0].high) << node.attr)
    return found if found.inside(*bounds_of("i32")) else of.whole_of("i32")


def _mulshr(node: Node, p: list[Interval]) -> Interval:
    wide, half = of.mul_whole(p[0], p[1]), 1 << (node.attr - 1)
    return Interval((int(wide.low) + half) >> node.attr, (int(wide.high) + half) >> node.attr)


def _cast(node: Node, p: list[Interval]) -> Interval:
    a, was = p[0], node.args[0].dtype
    if node.dtype == "f32":
        return Interval(float(np.float32(a.low)), float(np.float32(a.high)))
    if was == "f32":
        return Interval(_whole(a.low), _whole(a.high))
    return a


def _whole(value: float) -> int:
    return int(max(-(2.0**40), min(2.0**40, value)))


def _reduce(node: Node, p: list[Interval]) -> Interval:
    how, axis = node.attr
    axis_length = node.args[0].shape[int(axis)]
    if how != "add":
        return p[0]
    if node.dtype == "f32":
        return of.total_f32(p[0], axis_length)
    return Interval(min(p[0].low, p[0].low * axis_length), max(p[0].high, p[0].high * axis_length))


def _hull(_: Node, p: list[Interval]) -> Interval:
    return fold(Interval.join, p)


def _same(_: Node, p: list[Interval]) -> Interval:
    return p[0]


RULES: dict[str, Rule] = {
    "const": lambda node, _: of.interval_of(node.attr, node.dtype),
    "iota": lambda node, _: Interval(0, node.size - 1),
    "add": _add,
    "sub": lambda node, p: _add(node, [p[0], of.neg(p[1])]),
    "mul": _mul,
    "div": lambda _, p: of.div_f32(p[0], p[1]),
    "min": lambda _, p: of.least(p[0], p[1]),
    "max": lambda _, p: of.most(p[0], p[1]),
    "neg": lambda _, p: of.neg(p[0]),
    "sqrt": lambda _, p: of.sqrt_f32(p[0]),
    "lt": _less,
    "le": _less,
    "eq": lambda _, p: BIT,
    "and": lambda _, p: Interval(min(p[0].low, p[1].low), min(p[0].high, p[1].high)),
    "or": lambda _, p: Interval(max(p[0].low, p[1].low), max(p[0].high, p[1].high)),
    "not": lambda _, p: Interval(1 - p[0].high, 1 - p[0].low),
    "band": _band,
    "bor": _bor,
    "shl": _shl,
    "shr": lambda node, p: Interval(int(p[0].low) >> node.attr, int(p[0].high) >> node.attr),
    "mulshr": _mulshr,
    "cast": _cast,
    "bits": lambda node, p: of.bits_of(p[0], node.dtype),
    "gather": _same,
    "slice": _same,
    "reshape": _same,
    "stack": _hull,
    "concat": _hull,
    "reduce": _reduce,
}


KNOWN = frozenset(RULES) | {"input", "param", "state", "carry", "iter", "scan", "each", "result", "where"}
"""Every letter there is."""


def ruled(node: Node, p: list[Interval]) -> Interval:
    """Return what a letter makes of the intervals of its arguments; it may pass the bounds of its type."""
    return RULES[node.op](node, p)


def problem_of(node: Node, p: list[Interval]) -> str:
    """Say what a letter meets that it must not; empty where all is well."""
    return PROBLEMS[node.op](node, p) if node.op in PROBLEMS else ""


def _cast_problem(node: Node, p: list[Interval]) -> str:
    if node.args[0].dtype != "f32":
        return ""
    if p[0].nan:
        return f"a value that may be NaN ({p[0]}) is cast to i32; clip it first, constants first"
    return "" if p[0].inside(*bounds_of("i32")) else f"values {p[0]} are cast to i32; clip them first"


def _gather_problem(node: Node, p: list[Interval]) -> str:
    length = node.args[0].shape[0]
    return "" if p[1].inside(0, length - 1) else f"its index {p[1]} may leave 0..{length - 1}"


def _bits_problem(node: Node, p: list[Interval]) -> str:
    may = node.dtype == "i32" and p[0].nan
    return (
        f"the bits of a value that may be NaN ({p[0]}) differ between machines; clip it first" if may else ""
    )


def _const_problem(node: Node, p: list[Interval]) -> str:
    bad = node.dtype == "f32" and not np.isfinite(node.attr).all()
    return "a constant is not finite" if bad else ""


PROBLEMS: dict[str, Callable[[Node, list[Interval]], str]] = {
    "cast": _cast_problem,
    "gather": _gather_problem,
    "bits": _bits_problem,
    "const": _const_problem,
}
