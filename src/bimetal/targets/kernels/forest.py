"""Forest kernel: a forest is found again in a program by its letters, and handed over in one piece.

Letters are compared with those that program/tree.py writes for trees of the same number and size, so a
kernel never means anything else than the letters it stands for. Names of parameters only say where to look.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bimetal.program import tree
from bimetal.program.node import Node, walk
from bimetal.program.program import Draft, Param, Program
from bimetal.program.scope import bound_by


@dataclass(frozen=True, slots=True)
class ForestKernel:
    """The sums or votes of a forest: which parameters it reads, and how many there are of all.

    `name` starts the names of its parameters; `rows` is 0 where leaves are classes; `width` is how many
    numbers a row holds.
    """

    name: str
    dtype: str
    features: int
    trees: int
    bits: int
    turns: int
    outputs: int
    rows: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A forest in a program: the node that gives its sums, the vector it walks with, and what it is."""

    sums: Node
    x: Node
    kernel: ForestKernel


def places_of(program: Program) -> Iterator[Place]:
    """Yield every forest of a program that is spelled as program/tree.py spells it."""
    params = {p.name: p for p in program.params}
    names = [n.removesuffix("_link") for n in params if n.endswith("_link")]
    if not names:
        return
    for node in list(program.nodes()):
        if node.op == "reduce" and node.dtype == "i32" and node.attr == ("add", 0) and len(node.shape) == 1:
            yield from _at(node, params, names)


def _at(sums: Node, params: dict[str, Param], names: list[str]) -> Iterator[Place]:
    below = list(walk([sums]))
    read = {n.name for n in below if n.op == "param"}
    for name in names:
        turns = _turns(below, f"{name}_root")
        x = _vector(below, f"{name}_feature") if turns else None
        kernel = x and _kernel(name, params, read, x, turns, sums.size)
        if x is None or kernel is None:
            continue
        draft, own = Draft(), Node("input", (), x.shape, x.dtype, clock=x.clock, name="x")
        if _same(_spelled(draft, kernel, own, params), sums, own, x):
            yield Place(sums, x, kernel)


def _turns(below: list[Node], root: str) -> int:
    """Return how many turns the scan takes that starts at the roots, 0 where there is none."""
    for node in below:
        if node.op == "scan":
            start = node.args[0].args[0] if node.args[0].op == "cast" else node.args[0]
            if start.op == "param" and start.name == root:
                return int(node.attr[0])
    return 0


def _vector(below: list[Node], feature: str) -> Node | None:
    """Return what is gathered from by the numbers of features."""
    for node in below:
        if node.op == "gather":
            index = node.args[1].args[0] if node.args[1].op == "cast" else node.args[1]
            if index.op == "gather" and index.args[0].name == feature:
                return node.args[0]
    return None


def _kernel(
    name: str, params: dict[str, Param], read: set[str], x: Node, turns: int, outputs: int
) -> ForestKernel | None:
    link, root = params[f"{name}_link"], params[f"{name}_root"]
    bits = tree.NARROW if link.dtype == "i16" else tree.WIDE
    made = ForestKernel(name, x.dtype, x.size, root.shape[0], bits, turns, outputs)
    table = params.get(f"{name}_values")
    if f"{name}_values" not in read or table is None or len(table.shape) != 2:
        return made
    rows, width = table.shape
    return ForestKernel(name, x.dtype, x.size, root.shape[0], bits, turns, outputs, rows, width)


def _spelled(draft: Draft, kernel: ForestKernel, x: Node, params: dict[str, Param]) -> Node:
    """Return a forest of the same size in letters."""
    splits = params[f"{kernel.name}_link"].shape[0]
    zeros = (0,) * splits
    blank = tree.Packed(zeros, zeros, zeros, (0,) * kernel.trees, kernel.bits, kernel.turns)
    leaf = tree.walk(draft, blank, x, kernel.name)
    if not kernel.rows:
        return tree.counted(leaf, kernel.outputs)
    table = draft.param(f"{kernel.name}_values", np.zeros((kernel.rows, kernel.width)), "i32")
    start = draft.param(f"{kernel.name}_start", np.zeros(kernel.trees), "i32")
    return tree.summed(leaf, table, start, kernel.outputs)


def _same(one: Node, other: Node, x: Node, vector: Node) -> bool:
    """Say whether two nodes are the same letters, where `x` in the one stands for `vector` in the other."""
    pairs: dict[Node, Node] = {x: vector}
    todo = [(one, other)]
    while todo:
        a, b = todo.pop()
        if a in pairs:
            if pairs[a] is not b:
                return False
            continue
        pairs[a] = b
        if (a.op, a.shape, a.dtype, len(a.args)) != (b.op, b.shape, b.dtype, len(b.args)):
            return False
        if a.op in ("scan", "each"):
            if (a.attr[0], len(bound_by(a))) != (b.attr[0], len(bound_by(b))):
                return False
            todo += zip(bound_by(a), bound_by(b), strict=True)
        elif _attribute(a) != _attribute(b):
            return False
        todo += zip(a.args, b.args, strict=True)
    return True


def _attribute(node: Node) -> object:
    if node.op == "const":
        return node.attr.tobytes()
    return node.name if node.op == "param" else node.attr
