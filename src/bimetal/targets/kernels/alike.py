"""Alike: whether two nodes are spelled with the same letters, whatever they are fed with.

A kernel stands for an operator's letters and means nothing else: where it is to replace them, they are
compared with those that the operator writes for the same sizes. Names of parameters only say where to look.
"""

from __future__ import annotations

from bimetal.program.node import Node
from bimetal.program.scope import bound_by


def alike(one: Node, other: Node, x: Node, vector: Node) -> bool:
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
