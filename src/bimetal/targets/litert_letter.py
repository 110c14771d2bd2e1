"""LiteRT letters: how each letter is written in LiteRT operators, on tensors of one device.

All whole numbers are int32 inside; truths are bool. The order of a sum is LiteRT's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bimetal.program.node import Node
from bimetal.targets.export import kind_of
from bimetal.targets.litert_graph import Graph

Letter = Callable[[Graph, Node, Sequence[int]], int]

DIRECT = {
    "add": "ADD",
    "sub": "SUB",
    "mul": "MUL",
    "div": "DIV",
    "neg": "NEG",
    "sqrt": "SQRT",
    "lt": "LESS",
    "le": "LESS_EQUAL",
    "eq": "EQUAL",
    "and": "LOGICAL_AND",
    "or": "LOGICAL_OR",
    "not": "LOGICAL_NOT",
}
LOWEST = -(2**31)
HALF_BITS = 16
"""A whole number of 32 bits goes through f32, which is exact for fewer, in two parts."""


def _direct(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return graph.add(DIRECT[node.op], args, kind_of(node.dtype), node.shape)


def _chosen(graph: Graph, node: Node, args: Sequence[int]) -> int:
    """min(a, b) = b < a ? b : a; max(a, b) = a < b ? b : a."""
    a, b = args
    less = graph.spread("LESS", (b, a) if node.op == "min" else (a, b), "b1")
    return _pick(graph, less, b, a)


def _pick(graph: Graph, condition: int, a: int, b: int) -> int:
    return graph.spread("SELECT_V2", (condition, a, b), graph.kinds[a])


def _where(graph: Graph, node: Node, args: Sequence[int]) -> int:
    condition, a, b = args
    if node.dtype != "b1":
        return _pick(graph, condition, a, b)
    then = graph.spread("LOGICAL_AND", (condition, a), "b1")
    otherwise = graph.spread("LOGICAL_AND", (graph.spread("LOGICAL_NOT", (condition,), "b1"), b), "b1")
    return graph.spread("LOGICAL_OR", (then, otherwise), "b1")


def _cast(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return graph.cast(args[0], kind_of(node.dtype))


def _shl(graph: Graph, node: Node, args: Sequence[int]) -> int:
    """Over 64 bits; what leaves the lower 32 is lost when it becomes i32 again."""
    wide = graph.cast(args[0], "i64")
    return graph.cast(graph.spread("MUL", (wide, graph.whole(1 << node.attr, "i64")), "i64"), "i32")


def _shr(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return _right(graph, args[0], node.attr)


def _right(graph: Graph, x: int, by: int) -> int:
    if by == 31:
        return _pick(graph, _below(graph, x), graph.whole(-1), graph.whole(0))
    return graph.spread("FLOOR_DIV", (x, graph.whole(1 << by)), "i32") if by else x


def _below(graph: Graph, x: int) -> int:
    return graph.spread("LESS", (x, graph.whole(0)), "b1")


def _band(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return _bits_of_both(graph, *args)


def _bor(graph: Graph, node: Node, args: Sequence[int]) -> int:
    """Bits of one alone, and bits of both."""
    alone = graph.spread("BITWISE_XOR", args, "i32")
    return graph.spread("ADD", (alone, _bits_of_both(graph, *args)), "i32")


def _bits_of_both(graph: Graph, a: int, b: int) -> int:
    """Of LiteRT's bit operators only "either, not both" is there: a + b = (a ^ b) + 2 (a & b)."""
    shape = np.broadcast_shapes(graph.shapes[a], graph.shapes[b])
    a, b = (graph.spread("ADD", (x, graph.constant(np.zeros(shape, np.int32))), "i32") for x in (a, b))
    wide = [graph.cast(x, "i64") for x in (a, b, graph.spread("BITWISE_XOR", (a, b), "i32"))]
    twice = graph.spread("SUB", (graph.spread("ADD", wide[:2], "i64"), wide[2]), "i64")
    return _exact_part(graph, twice, 1)


def _mulshr(graph: Graph, node: Node, args: Sequence[int]) -> int:
    a, b = (graph.cast(arg, "i64") for arg in args)
    product = graph.spread("MUL", (a, b), "i64")
    wide = graph.spread("ADD", (product, graph.whole(1 << (node.attr - 1), "i64")), "i64")
    return _exact_part(graph, wide, node.attr)


def _exact_part(graph: Graph, wide: int, by: int) -> int:
    """An int64 shifted right, as i32 that it is known to fit; LiteRT can only take its remainders.

    Its lower 16 bits and those above them each have few enough digits to go through f32.
    """
    rest = graph.spread("FLOOR_MOD", (wide, graph.whole(1 << by, "i64")), "i64")
    if by + HALF_BITS > 62:
        return _scaled(graph, graph.spread("SUB", (wide, rest), "i64"), by)
    lower = graph.spread("FLOOR_MOD", (wide, graph.whole(1 << (by + HALF_BITS), "i64")), "i64")
    low = _scaled(graph, graph.spread("SUB", (lower, rest), "i64"), by)
    high = _scaled(graph, graph.spread("SUB", (wide, lower), "i64"), by + HALF_BITS)
    return graph.spread("ADD", (graph.spread("MUL", (high, graph.whole(1 << HALF_BITS)), "i32"), low), "i32")


def _scaled(graph: Graph, wide: int, by: int) -> int:
    return graph.cast(graph.spread("MUL", (graph.cast(wide, "f32"), graph.number(2.0**-by)), "f32"), "i32")


def _bits(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return graph.add("BITCAST", args, node.dtype, node.shape)


def _gather(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return graph.add("GATHER", args, kind_of(node.dtype), node.shape, axis=0, batchDims=0)


def _slice(graph: Graph, node: Node, args: Sequence[int]) -> int:
    """A mask stands for an end before the first element, which no number can name."""
    start, step, axis = (int(a) for a in node.attr)
    stop = start + node.shape[axis] * step
    shape = graph.shapes[args[0]]
    begin, end, stride = [0] * len(shape), list(shape), [1] * len(shape)
    begin[axis], end[axis], stride[axis] = start, max(stop, 0), step
    parts = (graph.constant(np.array(x, np.int32)) for x in (begin, end, stride))
    mask = 1 << axis if stop < 0 else 0
    return graph.add(
        "STRIDED_SLICE", (args[0], *parts), kind_of(node.dtype), node.shape, beginMask=0, endMask=mask
    )


def _reshape(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return graph.shaped(args[0], node.shape)


def _stack(graph: Graph, node: Node, args: Sequence[int]) -> int:
    parts = [graph.shaped(arg, (1, *graph.shapes[arg])) for arg in args]
    return joined(graph, parts, kind_of(node.dtype), node.shape)


def _concat(graph: Graph, node: Node, args: Sequence[int]) -> int:
    return joined(graph, args, kind_of(node.dtype), node.shape)


def joined(graph: Graph, parts: Sequence[int], kind: str, shape: Sequence[int]) -> int:
    """Put tensors one after the other along their first axis."""
    return graph.add("CONCATENATION", parts, kind, shape, axis=0, fusedActivationFunction=0)


def _reduce(graph: Graph, node: Node, args: Sequence[int]) -> int:
    how, axis = str(node.attr[0]), int(node.attr[1])
    axes = graph.constant(np.array([axis], np.int32))
    op = {"add": "SUM", "min": "REDUCE_MIN", "max": "REDUCE_MAX"}[how]
    if how == "add" or not graph.known(node.args[0]).nan:
        return graph.add(op, (args[0], axes), node.dtype, node.shape, keepDims=False)
    known = graph.spread("EQUAL", (args[0], args[0]), "b1")
    worst = graph.number(np.inf if how == "min" else -np.inf)
    folded = graph.add(
        op, (_pick(graph, known, args[0], worst), axes), node.dtype, node.shape, keepDims=False
    )
    zero = graph.whole(0)
    first = graph.add("GATHER", (args[0], zero), node.dtype, node.shape, axis=axis, batchDims=0)
    return _pick(graph, graph.spread("EQUAL", (first, first), "b1"), folded, first)


LETTERS: dict[str, Letter] = {
    **dict.fromkeys(DIRECT, _direct),
    "min": _chosen,
    "max": _chosen,
    "where": _where,
    "cast": _cast,
    "bits": _bits,
    "band": _band,
    "bor": _bor,
    "shl": _shl,
    "shr": _shr,
    "mulshr": _mulshr,
    "gather": _gather,
    "slice": _slice,
    "reshape": _reshape,
    "stack": _stack,
    "concat": _concat,
    "reduce": _reduce,
}
