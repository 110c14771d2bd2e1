"""Rewrite: the same program with fewer letters and smaller tables; every pass keeps every bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program import letter
from bimetal.program.node import DTYPES, STORAGE, Node, constant, walk
from bimetal.program.program import Program, SetTo, bounds_of

Rule = Callable[[Node], Node]
SMALL = 16
"""A result with no more elements is always worth storing instead of computing."""


def simplify(program: Program, evaluate: Callable[[Node], NDArray[Any]]) -> Program:
    """Return a program that gives the same bits: constants folded, repeats shared, tables narrowed.

    `evaluate` gives the value of a node that needs nothing but constants (targets.numpy_letter has
    one). States, parameters, inputs and outputs keep their names, so bytes of one fit the other.
    """
    return narrow(share(fold(program, evaluate)))


def fold(program: Program, evaluate: Callable[[Node], NDArray[Any]]) -> Program:
    """Compute what constants alone decide, where the result is finite and no larger than they are."""

    def rule(node: Node) -> Node:
        if node.op in _KEPT or not node.args or not all(a.op in ("const", "iota") for a in node.args):
            return node
        if node.op == "cast" and node.args[0].dtype in STORAGE:
            return node
        if node.size > max([SMALL, *(a.size for a in node.args if a.op == "const")]):
            return node
        value = evaluate(node)
        return constant(value, node.dtype) if np.isfinite(value.astype(np.float64)).all() else node

    return mapped(program, rule)


def share(program: Program) -> Program:
    """Compute what is said twice only once (common subexpressions)."""
    known: dict[tuple[Any, ...], Node] = {}

    def rule(node: Node) -> Node:
        if node.op in ("carry", "iter", "scan", "each"):
            return node
        attr = node.attr.tobytes() if node.op == "const" else node.attr
        key = (node.op, node.args, node.shape, node.dtype, attr, node.clock, _name(node))
        return known.setdefault(key, node)

    return mapped(program, rule)


def narrow(program: Program) -> Program:
    """Store i32 tables in the smallest type that holds them."""

    def rule(node: Node) -> Node:
        if node.op != "const" or node.dtype != "i32" or node.size <= SMALL:
            return node
        low, high = int(node.attr.min()), int(node.attr.max())
        for dtype in ("u8", "i8", "i16"):
            least, most = bounds_of(dtype)
            if least <= low and high <= most:
                return letter.cast(constant(node.attr.astype(DTYPES[dtype]), dtype), "i32")
        return node

    return mapped(program, rule)


def mapped(program: Program, rule: Rule) -> Program:
    """Return the program with every node replaced by what a rule makes of it, arguments first."""
    new: dict[Node, Node] = {}
    for node in walk(program.roots()):
        args = tuple(new[a] for a in node.args)
        same = all(a is b for a, b in zip(args, node.args, strict=True))
        new[node] = rule(node if same else replace(node, args=args))
    return replace(
        program,
        sets=tuple(SetTo(s.state, new[s.value], None if s.at is None else new[s.at]) for s in program.sets),
        outputs=tuple((name, new[n]) for name, n in program.outputs),
    )


_KEPT = frozenset({"scan", "result", "each"})


def _name(node: Node) -> str:
    return node.name if node.op in ("input", "param", "state") else ""
