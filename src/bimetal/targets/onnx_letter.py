"""ONNX letters: how each letter is written in ONNX operators, one device's tensors without an axis for it.

All whole numbers are int32 inside, for ONNX has few operators on narrower ones; truths are bool. What
ONNX leaves open stays open: the order of a sum. All else has one meaning, NaN and signs of zero apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bimetal.program.node import Node
from bimetal.targets.onnx_graph import Graph

Letter = Callable[[Graph, Node, Sequence[str]], str]

DIRECT = {
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "div": "Div",
    "neg": "Neg",
    "sqrt": "Sqrt",
    "lt": "Less",
    "le": "LessOrEqual",
    "eq": "Equal",
    "and": "And",
    "or": "Or",
    "not": "Not",
    "band": "BitwiseAnd",
    "bor": "BitwiseOr",
}
TINY = 2.0**-126
"""The least f32 with all its digits."""
HALVINGS = (64, 32, 16, 8, 4, 2, 1)


def _direct(graph: Graph, node: Node, args: Sequence[str]) -> str:
    return graph.add(DIRECT[node.op], args)


def _chosen(graph: Graph, node: Node, args: Sequence[str]) -> str:
    """min(a, b) = b < a ? b : a; max(a, b) = a < b ? b : a."""
    a, b = args
    less = graph.add("Less", (b, a) if node.op == "min" else (a, b))
    return graph.add("Where", (less, b, a))


def _where(graph: Graph, node: Node, args: Sequence[str]) -> str:
    if node.dtype != "b1":
        return graph.add("Where", args)
    condition, a, b = args
    other = graph.add("And", (graph.add("Not", (condition,)), b))
    return graph.add("Or", (graph.add("And", (condition, a)), other))


def _cast(graph: Graph, node: Node, args: Sequence[str]) -> str:
    source = node.args[0].dtype
    if source in ("f32", "b1") or node.dtype == "f32":
        return graph.cast(args[0], "f32" if node.dtype == "f32" else "i32")
    return args[0]


def _shl(graph: Graph, node: Node, args: Sequence[str]) -> str:
    """Over 64 bits; what leaves the lower 32 is lost when it becomes i32 again."""
    wide = graph.cast(args[0], "i64")
    return graph.cast(graph.add("Mul", (wide, graph.whole(1 << node.attr, "i64"))), "i32")


def _shr(graph: Graph, node: Node, args: Sequence[str]) -> str:
    return graph.cast(_floored(graph, graph.cast(args[0], "i64"), node.attr), "i32")


def _floored(graph: Graph, wide: str, by: int) -> str:
    """Divide an int64 by a power of two, downwards: ONNX divides towards zero, but has a modulus."""
    if by == 0:
        return wide
    power = graph.whole(1 << by, "i64")
    rest = graph.add("Mod", (wide, power))
    return graph.add("Div", (graph.add("Sub", (wide, rest)), power))


def _mulshr(graph: Graph, node: Node, args: Sequence[str]) -> str:
    a, b = (graph.cast(arg, "i64") for arg in args)
    half = graph.whole(1 << (node.attr - 1), "i64")
    wide = graph.add("Add", (graph.add("Mul", (a, b)), half))
    return graph.cast(_floored(graph, wide, node.attr), "i32")


def _gather(graph: Graph, node: Node, args: Sequence[str]) -> str:
    return graph.add("Gather", args, axis=0)


def _slice(graph: Graph, node: Node, args: Sequence[str]) -> str:
    start, step, axis = (int(a) for a in node.attr)
    stop = start + node.shape[axis] * step
    ends = [stop if stop >= 0 else -(2**31)]
    parts = (np.array(x, np.int64) for x in ([start], ends, [axis], [step]))
    return graph.add("Slice", (args[0], *map(graph.constant, parts)))


def _reshape(graph: Graph, node: Node, args: Sequence[str]) -> str:
    return graph.add("Reshape", (args[0], graph.constant(np.array(node.shape, np.int64))))


def _stack(graph: Graph, node: Node, args: Sequence[str]) -> str:
    first = graph.constant(np.zeros(1, np.int64))
    return graph.add("Concat", [graph.add("Unsqueeze", (arg, first)) for arg in args], axis=0)


def _concat(graph: Graph, node: Node, args: Sequence[str]) -> str:
    return graph.add("Concat", args, axis=0)


def _reduce(graph: Graph, node: Node, args: Sequence[str]) -> str:
    how, axis = node.attr
    axes = graph.constant(np.array([axis], np.int64))
    if how == "add":
        return graph.add("ReduceSum", (args[0], axes), keepdims=0)
    name = {"min": "ReduceMin", "max": "ReduceMax"}[how]
    if node.dtype != "f32":
        return graph.add(name, (args[0], axes), keepdims=0)
    return _among_known(graph, node, args[0], axes, name)


def _among_known(graph: Graph, node: Node, x: str, axes: str, name: str) -> str:
    """The least or greatest of all that are not NaN, but NaN where the first is: as the letter folds."""
    if not graph.known(node.args[0]).nan:
        return graph.add(name, (x, axes), keepdims=0)
    worst = graph.number(np.inf if name == "ReduceMin" else -np.inf)
    known = graph.add("Where", (graph.add("IsNaN", (x,)), worst, x))
    folded = graph.add(name, (known, axes), keepdims=0)
    first = graph.add("Gather", (x, graph.constant(np.array(0, np.int64))), axis=int(node.attr[1]))
    return graph.add("Where", (graph.add("IsNaN", (first,)), first, folded))


def _bits(graph: Graph, node: Node, args: Sequence[str]) -> str:
    """ONNX cannot read the bits of a number as another one: they are computed, every step exactly."""
    if node.dtype == "f32":
        return _float_of(graph, args[0])
    known = graph.known(node.args[0])
    if known.low >= TINY and not known.nan and not known.infinite:
        return _positive_bits(graph, args[0])
    return _any_bits(graph, args[0])


def _float_of(graph: Graph, bits: str) -> str:
    """The f32 of 32 bits: (-1)**sign * (lead + fraction) * 2**(exponent - 127)."""
    fraction = graph.add("BitwiseAnd", (bits, graph.whole(0x7FFFFF)))
    exponent = graph.add("BitwiseAnd", (_right(graph, bits, 23), graph.whole(255)))
    lead = _where_less(graph, graph.whole(0), exponent, graph.number(1.0), graph.number(0.0))
    scaled = graph.add("Mul", (graph.cast(fraction, "f32"), graph.number(2.0**-23)))
    powers = np.ldexp(np.float32(1), np.maximum(np.arange(255), 1) - 127).astype(np.float32)
    power = graph.add("Gather", (graph.constant(np.append(powers, np.float32(np.inf))), exponent), axis=0)
    size = graph.add("Mul", (graph.add("Add", (lead, scaled)), power))
    nan = graph.add("And", (_less(graph, graph.whole(254), exponent), _less(graph, graph.whole(0), fraction)))
    size = graph.add("Where", (nan, graph.number(np.nan), size))
    return _where_less(graph, bits, graph.whole(0), graph.add("Neg", (size,)), size)


def _right(graph: Graph, bits: str, by: int) -> str:
    return graph.cast(_floored(graph, graph.cast(bits, "i64"), by), "i32")


def _positive_bits(graph: Graph, value: str) -> str:
    """The 32 bits of a positive f32 with all its digits: the exponent is found by halving."""
    exponent = graph.whole(127)
    for step in HALVINGS:
        large = graph.add("LessOrEqual", (graph.number(2.0**step), value))
        value, exponent = _moved(graph, large, value, exponent, step)
    for step in HALVINGS:
        small = _less(graph, value, graph.number(2.0 ** (1 - step)))
        value, exponent = _moved(graph, small, value, exponent, -step)
    fraction = graph.add("Sub", (value, graph.number(1.0)))
    whole = graph.cast(graph.add("Mul", (fraction, graph.number(2.0**23))), "i32")
    return graph.add("Add", (graph.add("Mul", (exponent, graph.whole(1 << 23))), whole))


def _moved(graph: Graph, when: str, value: str, exponent: str, step: int) -> tuple[str, str]:
    scaled = graph.add("Mul", (value, graph.number(2.0**-step)))
    counted = graph.add("Add", (exponent, graph.whole(step)))
    return graph.add("Where", (when, scaled, value)), graph.add("Where", (when, counted, exponent))


def _any_bits(graph: Graph, x: str) -> str:
    """The 32 bits of any f32 but NaN, which no program may ask for; a zero has the sign of one over it."""
    size = graph.add("Abs", (x,))
    tiny, infinite = _less(graph, size, graph.number(TINY)), graph.add("IsInf", (x,))
    odd = graph.add("Or", (tiny, infinite))
    usual = _positive_bits(graph, graph.add("Where", (odd, graph.number(1.0), size)))
    low = graph.add("Where", (tiny, size, graph.number(0.0)))
    steps = graph.add("Mul", (graph.add("Mul", (low, graph.number(2.0**75))), graph.number(2.0**74)))
    bits = graph.add("Where", (tiny, graph.cast(steps, "i32"), usual))
    bits = graph.add("Where", (infinite, graph.whole(0x7F800000), bits))
    zero = graph.add("Equal", (x, graph.number(0.0)))
    signed = graph.add("Where", (zero, graph.add("Div", (graph.number(1.0), x)), x))
    negative = graph.add("BitwiseOr", (bits, graph.whole(-(2**31))))
    return _where_less(graph, signed, graph.number(0.0), negative, bits)


def _less(graph: Graph, a: str, b: str) -> str:
    return graph.add("Less", (a, b))


def _where_less(graph: Graph, a: str, b: str, then: str, otherwise: str) -> str:
    return graph.add("Where", (_less(graph, a, b), then, otherwise))


LETTERS: dict[str, Letter] = {
    **dict.fromkeys(DIRECT, _direct),
    "min": _chosen,
    "max": _chosen,
    "where": _where,
    "cast": _cast,
    "bits": _bits,
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
