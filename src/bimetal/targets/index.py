"""Index: which element of its arguments a letter takes for one of its own elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.node import Node
from bimetal.targets.loops import Lin

Index = tuple[Lin, ...]
DEEPEST = 12
LARGEST = 2**30
LEAVES = frozenset(["const", "input", "param", "state", "iota", "carry", "iter"])
SPELLINGS = "add sub mul div min max neg sqrt lt le eq and or not band bor shl shr mulshr where cast bits"
ELEMENTWISE = frozenset(SPELLINGS.split())


def strides(shape: Sequence[int]) -> list[int]:
    """Return how far apart the elements of each axis lie, row-major."""
    found = [1] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        found[k] = found[k + 1] * shape[k + 1]
    return found


def flat(index: Index, shape: Sequence[int]) -> Lin:
    """Return the row-major place of an element."""
    total = Lin()
    for at, stride in zip(index, strides(shape), strict=True):
        total = total + at.times(stride)
    return total


def align(index: Index, shape: Sequence[int]) -> Index:
    """Return the index into an argument that is broadcast: axes line up from the right."""
    last = index[len(index) - len(shape) :]
    return tuple(Lin() if length == 1 else at for at, length in zip(last, shape, strict=True))


def zeros(shape: Sequence[int]) -> Index:
    """Return the index of the first element."""
    return (Lin(),) * len(shape)


def insert(index: Index, axis: int, at: Lin) -> Index:
    """Return an index with one more axis."""
    return (*index[:axis], at, *index[axis:])


@dataclass(slots=True)
class Indexer:
    """Index arithmetic under known variables.

    `spans` bounds every variable; `turns` names the variable of every loop that is open; a variable
    that only ever has one value is not used at all.
    """

    spans: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    turns: dict[Node, Lin] = field(default_factory=dict[Node, Lin])

    def unflat(self, at: Lin, shape: Sequence[int]) -> Index | None:
        """Return the index of a row-major place, or None where it takes a division."""
        found: list[Lin] = []
        for stride, length in zip(strides(shape), shape, strict=True):
            whole = tuple((n, f // stride) for n, f in at.terms if f % stride == 0)
            axis = Lin(at.const // stride, whole)
            at = Lin(at.const % stride, tuple((n, f) for n, f in at.terms if f % stride))
            low, high = axis.span(self.spans)
            rest_low, rest_high = at.span(self.spans)
            if low < 0 or high >= length or rest_low < 0 or rest_high >= stride:
                return None
            found.append(Lin(low) if low == high else axis)
        return tuple(found)

    def sliced(self, node: Node, index: Index) -> Index:
        """Return the index into what a `slice` takes from."""
        start, step, axis = (int(a) for a in node.attr)
        return (*index[:axis], index[axis].times(step) + start, *index[axis + 1 :])

    def picked(self, node: Node, index: Index) -> tuple[Node, Index] | None:
        """Return the one part of a `stack` or `concat` that an index lies in, or None."""
        low, high = index[0].span(self.spans)
        if node.op == "stack":
            return (node.args[low], index[1:]) if low == high else None
        start = 0
        for part in node.args:
            if start <= low and high < start + part.shape[0]:
                return part, (index[0] + -start, *index[1:])
            start += part.shape[0]
        return None

    def affine(self, node: Node, index: Index, depth: int = 0) -> Lin | None:
        """Return an i32 element as an affine index where it is one, and small."""
        if node.dtype != "i32" or depth > DEEPEST:
            return None
        found = self._affine(node, index, depth + 1)
        if found is None or abs(found.const) + sum(self._reach(t) for t in found.terms) >= LARGEST:
            return None
        return found

    def _reach(self, term: tuple[str, int]) -> int:
        return abs(term[1]) * max(map(abs, self.spans[term[0]]))

    def _affine(self, node: Node, index: Index, depth: int) -> Lin | None:
        match node.op:
            case "const":
                return progression(node.attr, index)
            case "iota":
                return index[0]
            case "iter":
                return self.turns.get(node)
            case "slice":
                return self.affine(node.args[0], self.sliced(node, index), depth)
            case "neg":
                found = self.affine(node.args[0], index, depth)
                return found and found.times(-1)
            case "add" | "sub" | "mul":
                return self._arithmetic(node, index, depth)
            case _:
                return None

    def _arithmetic(self, node: Node, index: Index, depth: int) -> Lin | None:
        a, b = (self.affine(arg, align(index, arg.shape), depth) for arg in node.args)
        if a is None or b is None:
            return None
        if node.op != "mul":
            return a + (b if node.op == "add" else b.times(-1))
        if a.terms and b.terms:
            return None
        return b.times(a.const) if b.terms else a.times(b.const)


def progression(values: NDArray[Any], index: Index) -> Lin | None:
    """Return an element of known whole numbers as an index: one of them, or evenly spaced ones."""
    if values.size == 1:
        return Lin(int(values.reshape(-1)[0]))
    if not any(at.terms for at in index):
        return Lin(int(values[tuple(at.const for at in index)]))
    if values.ndim != 1:
        return None
    steps = np.diff(values.astype(np.int64))
    if (steps != steps[0]).any():
        return None
    return index[0].times(int(steps[0])) + int(values[0])


def names(indices: Iterable[Lin]) -> set[str]:
    """Return the variables some indices use."""
    return {name for at in indices for name, _ in at.terms}
