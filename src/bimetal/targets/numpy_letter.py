"""NumPy letters: what each letter is on arrays whose first axis is the devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.node import DTYPES, Node
from bimetal.program.scope import Scope, scope_of

Array = NDArray[Any]
Values = dict[Node, Any]
Step = Callable[[Values], Any]
Letter = Callable[[Node, Sequence[Any]], Any]
Steps = tuple[tuple[Node, Step], ...]
CANONICAL_NAN = np.uint32(0x7FC00000)


def plan(scope: Scope, fixed: Mapping[str, Array]) -> tuple[Steps, Values]:
    """Return the steps a scope needs at every firing, and the values that never change.

    `fixed` holds the parameters by name. `input` and `state` nodes get a step that is never called:
    whoever runs the steps puts their values in.
    """
    values: Values = {}
    steps: list[tuple[Node, Step]] = []
    for node in scope.nodes:
        if node.op == "param":
            values[node] = fixed[node.name]
        elif node.op in ("input", "state"):
            steps.append((node, _never))
        elif any(a not in values for a in _outside(node, scope)):
            steps.append((node, _step(node, scope)))
        else:
            values[node] = _step(node, scope)(values)
    return tuple(steps), values


def loaded(raw: Array, dtype: str) -> Array:
    """Return stored bytes as values to compute with: truth values as booleans, all else a copy."""
    return raw != 0 if dtype == "b1" else np.array(raw, DTYPES[dtype])


def stored(value: Array) -> Array:
    """Return values as they are written: one canonical NaN, truth values as bytes."""
    if value.dtype == np.float32:
        return np.where(np.isnan(value), CANONICAL_NAN, value.view(np.uint32)).view(np.float32)
    return value.astype(np.uint8) if value.dtype == np.bool_ else value


def _never(_: Values) -> Any:
    raise KeyError("an input or a state is put in, not computed")


def _outside(node: Node, scope: Scope) -> list[Node]:
    """Return what a node takes from its own scope: its arguments, and all its body takes from here."""
    if node not in scope.inner:
        return list(node.args)
    here = set(scope.nodes)
    todo, found = [scope.inner[node]], [a for a in node.args if a in here]
    while todo:
        body = todo.pop()
        found += [a for n in body.nodes for a in n.args if a in here]
        todo += body.inner.values()
    return found


def _steps(scope: Scope) -> list[tuple[Node, Step]]:
    return [(node, _step(node, scope)) for node in scope.nodes if node.op not in ("carry", "iter")]


def _step(node: Node, scope: Scope) -> Step:
    if node.op == "scan":
        return _scan(node, scope.inner[node])
    if node.op == "each":
        return _each(node, scope.inner[node])
    if node.op in ELEMENTWISE:
        return _elementwise(node)
    letter = LETTERS[node.op]
    return lambda values: letter(node, [values[a] for a in node.args])


def _elementwise(node: Node) -> Step:
    """Line up axes from the right, the devices' axis apart, and let NumPy broadcast."""
    letter, rank = ELEMENTWISE[node.op], len(node.shape)
    args = node.args
    missing = [(1,) * (rank - len(a.shape)) for a in args]
    if not any(missing):
        return lambda values: letter(node, [values[a] for a in args])
    aligned = tuple(zip(args, missing, strict=True))

    def step(values: Values) -> Array:
        return letter(node, [_deepened(values[a], ones) if ones else values[a] for a, ones in aligned])

    return step


def _deepened(value: Array, ones: tuple[int, ...]) -> Array:
    return value.reshape(value.shape[:1] + ones + value.shape[1:])


def _scan(node: Node, body: Scope) -> Step:
    turns, carries, turn = node.attr
    starts, nexts = node.args[: len(carries)], node.args[len(carries) :]
    steps = _steps(body)

    def step(values: Values) -> list[Array]:
        held = [values[s] for s in starts]
        for k in range(turns):
            values[turn] = np.full(1, k, np.int32)
            values.update(zip(carries, held, strict=True))
            for inner, run in steps:
                values[inner] = run(values)
            held = [values[n] for n in nexts]
        return held

    return step


def _each(node: Node, body: Scope) -> Step:
    turns, turn = node.attr
    (value,) = node.args
    steps = _steps(body)

    def step(values: Values) -> Array:
        parts: list[Array] = []
        for k in range(turns):
            values[turn] = np.full(1, k, np.int32)
            for inner, run in steps:
                values[inner] = run(values)
            parts.append(values[value])
        return np.stack(parts, axis=1)

    return step


def _gather(a: Array, index: Array) -> Array:
    if len(a) == 1:
        return a[0][index]
    if len(index) == 1:
        return a[:, index[0]]
    lanes = np.arange(len(a)).reshape((-1,) + (1,) * (index.ndim - 1))
    return a[lanes, index]


def _slice(node: Node, a: Array) -> Array:
    axis: int
    start, step, axis = node.attr
    stop: int = start + node.shape[axis] * step
    part = slice(start, stop if stop >= 0 else None, step)
    return a[(slice(None),) * (axis + 1) + (part,)]


def _reduce(node: Node, a: Array) -> Array:
    how, axis = node.attr
    if how == "add":
        return np.add.accumulate(a, axis=axis + 1, dtype=a.dtype).take(-1, axis=axis + 1)
    parts = np.moveaxis(a, axis + 1, 0)
    total = parts[0]
    for part in parts[1:]:
        total = _least(total, part) if how == "min" else _most(total, part)
    return total


def _result(node: Node, parts: Sequence[Any]) -> Any:
    return parts[0][node.attr]


def _join(parts: Sequence[Array]) -> list[Array]:
    """Give every part as many devices as the widest has."""
    lanes = max(len(p) for p in parts)
    return [np.broadcast_to(p, (lanes, *p.shape[1:])) for p in parts]


def _where(c: Array, a: Array, b: Array) -> Array:
    return np.where(c, a, b)


def _least(a: Array, b: Array) -> Array:
    return np.where(b < a, b, a)


def _most(a: Array, b: Array) -> Array:
    return np.where(a < b, b, a)


def _mulshr(a: Array, b: Array, by: int) -> Array:
    wide = a.astype(np.int64) * b.astype(np.int64)
    return ((wide + (1 << (by - 1))) >> by).astype(np.int32)


ELEMENTWISE: dict[str, Letter] = {
    "add": lambda _, p: np.add(p[0], p[1]),
    "sub": lambda _, p: np.subtract(p[0], p[1]),
    "mul": lambda _, p: np.multiply(p[0], p[1]),
    "div": lambda _, p: np.divide(p[0], p[1]),
    "min": lambda _, p: _least(p[0], p[1]),
    "max": lambda _, p: _most(p[0], p[1]),
    "neg": lambda _, p: np.negative(p[0]),
    "sqrt": lambda _, p: np.sqrt(p[0]),
    "lt": lambda _, p: np.less(p[0], p[1]),
    "le": lambda _, p: np.less_equal(p[0], p[1]),
    "eq": lambda _, p: np.equal(p[0], p[1]),
    "and": lambda _, p: np.logical_and(p[0], p[1]),
    "or": lambda _, p: np.logical_or(p[0], p[1]),
    "not": lambda _, p: np.logical_not(p[0]),
    "band": lambda _, p: np.bitwise_and(p[0], p[1]),
    "bor": lambda _, p: np.bitwise_or(p[0], p[1]),
    "shl": lambda node, p: np.left_shift(p[0], np.int32(node.attr)),
    "shr": lambda node, p: np.right_shift(p[0], np.int32(node.attr)),
    "mulshr": lambda node, p: _mulshr(p[0], p[1], node.attr),
    "where": lambda _, p: _where(p[0], p[1], p[2]),
    "cast": lambda node, p: p[0].astype(DTYPES[node.dtype]),
    "bits": lambda node, p: np.ascontiguousarray(p[0]).view(DTYPES[node.dtype]),
}

LETTERS: dict[str, Letter] = {
    "const": lambda node, _: loaded(node.attr[None], node.dtype),
    "iota": lambda node, _: np.arange(node.size, dtype=np.int32)[None],
    "gather": lambda _, p: _gather(p[0], p[1]),
    "slice": lambda node, p: _slice(node, p[0]),
    "reshape": lambda node, p: p[0].reshape(p[0].shape[:1] + node.shape),
    "stack": lambda _, p: np.stack(_join(p), axis=1),
    "concat": lambda _, p: np.concatenate(_join(p), axis=1),
    "reduce": lambda node, p: _reduce(node, p[0]),
    "result": _result,
}


def evaluate(node: Node) -> Array:
    """Return the value of a node that needs nothing but constants; raises KeyError for any other."""
    with np.errstate(all="ignore"):
        _, values = plan(scope_of([node]), {})
    return values[node][0]
