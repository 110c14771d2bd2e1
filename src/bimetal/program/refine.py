"""Refine: what a condition tells about a value where it holds, and where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bimetal.program.interval import Interval
from bimetal.program.node import Node

DEEPEST = 6
THROUGH = ("add", "sub", "mul", "neg")
"""Letters that are looked through: what is told about x tells about x + 1."""


def refine(
    condition: Node,
    holds: bool,
    node: Node,
    now: Mapping[Node, Interval],
    rule: Callable[[Node, list[Interval]], Interval],
    depth: int = 0,
) -> Interval:
    """Return the interval of `node` where `condition` is as said; low > high where it never is.

    Understands lt, le and eq with the node itself on one side, `and`, `or`, `not` of them, and sums
    and products of such nodes, whose intervals `rule` finds.
    """
    found = now[node]
    if depth > DEEPEST:
        return found
    if condition.op == "not":
        return refine(condition.args[0], not holds, node, now, rule, depth + 1)
    if condition.op == ("and" if holds else "or"):
        parts = [refine(c, holds, node, now, rule, depth + 1) for c in condition.args]
        return Interval(max(p.low for p in parts), min(p.high for p in parts), all(p.nan for p in parts))
    if condition.op not in ("lt", "le", "eq"):
        return found
    if node not in condition.args:
        if node.op not in THROUGH:
            return found
        parts = [refine(condition, holds, a, now, rule, depth + 2) for a in node.args]
        return rule(node, parts) if all(p.low <= p.high for p in parts) else Interval(1, 0)
    return _compared(condition, holds, node, now)


def _compared(condition: Node, holds: bool, node: Node, now: Mapping[Node, Interval]) -> Interval:
    found = now[node]
    a, b = condition.args
    if condition.op == "eq":
        return _equal(found, holds, now[b if node is a else a], node.dtype, itself=a is b)
    if a is b:
        return found
    strict = (condition.op == "lt") == holds
    below = (node is a) == holds
    other = now[b if node is a else a]
    if not holds and other.nan:
        return found
    return _bounded(found, other, below, strict and node.dtype != "f32", nan=found.nan and not holds)


def _bounded(found: Interval, other: Interval, below: bool, strict: bool, nan: bool) -> Interval:
    if below:
        return Interval(found.low, min(found.high, other.high - strict), nan)
    return Interval(max(found.low, other.low + strict), found.high, nan)


def _equal(found: Interval, holds: bool, other: Interval, dtype: str, itself: bool) -> Interval:
    if holds:
        return Interval(max(found.low, other.low), min(found.high, other.high))
    if dtype == "f32" or itself or other.low != other.high:
        return found
    at = other.low
    return Interval(found.low + (found.low == at), found.high - (found.high == at))
