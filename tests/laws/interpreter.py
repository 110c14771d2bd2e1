"""The plainest reading of a program: one device, one reading, one element at a time.

It shares nothing with the law on NumPy but the graph, and so keeps an eye on it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bimetal.program.node import DTYPES, EVERY, Node
from bimetal.program.program import Program

Cells = dict[tuple[int, ...], Any]
f32 = np.float32


class Interpreter:
    """A device that runs a program slowly."""

    def __init__(self, program: Program, values: dict[str, Any]) -> None:
        self.program = program
        self.params = {p.name: cells_of(np.asarray(values[p.name]), p.dtype) for p in program.params}
        self.states = {s.name: cells_of(s.init, s.dtype) for s in program.states}
        self.reading = 0

    def step(self, inputs: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Feed one reading; returns the outputs as stored arrays, and the clocks that fired as bits."""
        rows = {i.name: cells_of(np.asarray(inputs[i.name]), i.dtype) for i in self.program.inputs}
        outputs: dict[str, Any] = {}
        fired = 0
        owner = {s.name: s.clock for s in self.program.states}
        for k, clock in enumerate(self.program.clocks):
            if self.reading < clock.first or (self.reading - clock.first) % clock.period:
                continue
            fired |= 1 << k
            turn = _Turn(rows, self.params, {name: dict(cells) for name, cells in self.states.items()})
            for name, node in self.program.outputs:
                if (node.clock or EVERY) == clock:
                    outputs[name] = stored(turn.value(node), node)
            new = [(s, turn.value(s.value), s.at and turn.value(s.at)[()]) for s in self.program.sets
                   if owner[s.state] == clock]  # fmt: skip
            for s, cells, at in new:
                for place, value in cells.items():
                    whole = place if s.at is None else (int(at), *place)
                    self.states[s.state][whole] = canonical(value, s.value.dtype)
        self.reading += 1
        return outputs, fired


class _Turn:
    """One firing of one clock: every node's value is found once, or once a turn in loops."""

    def __init__(self, rows: dict[str, Cells], params: dict[str, Cells], states: dict[str, Cells]) -> None:
        self.places = {"input": rows, "param": params, "state": states}
        self.known: dict[Node, Any] = {}
        self.bound: dict[Node, Any] = {}

    def value(self, node: Node) -> Any:
        """Return the cells of a node; loops forget what they knew after every turn."""
        if node in self.bound:
            return self.bound[node]
        if node not in self.known:
            self.known[node] = self.find(node)
        return self.known[node]

    def find(self, node: Node) -> Any:
        """Compute a node from its arguments."""
        if node.op in self.places:
            return self.places[node.op][node.name]
        if node.op == "const":
            return cells_of(node.attr, node.dtype)
        if node.op in ("scan", "each"):
            return self.scan(node) if node.op == "scan" else self.each(node)
        args = [self.value(a) for a in node.args]
        if node.op in MOVES:
            return {place: MOVES[node.op](node, args, place) for place in places_of(node.shape)}
        pairs = list(zip(args, node.args, strict=True))
        return {
            place: SCALARS[node.op](node, *(cells[fit(place, a.shape)] for cells, a in pairs))
            for place in places_of(node.shape)
        }

    def scan(self, node: Node) -> list[Cells]:
        """Carry values through the turns."""
        turns, carries, turn = node.attr
        held = [self.value(s) for s in node.args[: len(carries)]]
        for k in range(turns):
            held = self.turn([turn, *carries], [{(): k}, *held], node.args[len(carries) :])
        return held

    def each(self, node: Node) -> Cells:
        """Stack the values of the turns."""
        turns, turn = node.attr
        parts = [self.turn([turn], [{(): k}], node.args)[0] for k in range(turns)]
        return {(k, *place): value for k, part in enumerate(parts) for place, value in part.items()}

    def turn(self, names: list[Node], values: list[Any], wanted: tuple[Node, ...]) -> list[Any]:
        """Compute what a body gives, with everything in it found afresh."""
        inner = _Turn({}, {}, {})
        inner.places = self.places
        inner.bound = {**self.bound, **dict(zip(names, values, strict=True))}
        return [inner.value(n) for n in wanted]


def places_of(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every place of an array."""
    return np.ndindex(*shape) if shape else iter([()])


def cells_of(values: Any, dtype: str) -> Cells:
    """An array as a table from place to value."""
    typed = values.astype(DTYPES[dtype])
    kind: Callable[[Any], Any] = f32 if dtype == "f32" else (lambda v: bool(v)) if dtype == "b1" else int
    return {place: kind(typed[place]) for place in places_of(values.shape)}


def stored(cells: Cells, node: Node) -> Any:
    """Cells as the array that would be written."""
    array = np.zeros(node.shape, DTYPES[node.dtype])
    for place, value in cells.items():
        array[place] = canonical(value, node.dtype)
    return array


def canonical(value: Any, dtype: str) -> Any:
    """One NaN for all."""
    return from_bits(0x7FC00000) if dtype == "f32" and value != value else value


def fit(place: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place of a smaller array that is broadcast here."""
    last = place[len(place) - len(shape) :]
    return tuple(0 if length == 1 else k for k, length in zip(last, shape, strict=True))


def to_bits(value: Any) -> int:
    """The bits of an f32 as a signed number."""
    return int(struct.unpack("<i", struct.pack("<f", value))[0])


def from_bits(raw: int) -> Any:
    """The f32 with these bits."""
    return np.array([raw & 0xFFFFFFFF], np.uint32).view(f32)[0]


def wrap(value: int) -> int:
    """The low 32 bits as a signed number."""
    return (value + 2**31) % 2**32 - 2**31


def fold(node: Node, cells: Cells, place: tuple[int, ...]) -> Any:
    """Reduce one line of elements."""
    how, axis = node.attr
    (length, line) = (node.args[0].shape[axis], lambda k: cells[(*place[:axis], k, *place[axis:])])
    total = line(0)
    for k in range(1, length):
        total = SCALARS[how](node, total, line(k))
    return total


def gathered(node: Node, args: list[Cells], place: tuple[int, ...]) -> Any:
    """An element of the item that the index names."""
    rank = len(node.args[1].shape)
    return args[0][(int(args[1][place[:rank]]), *place[rank:])]


def sliced(node: Node, args: list[Cells], place: tuple[int, ...]) -> Any:
    """An element of every step-th item."""
    start, step, axis = node.attr
    return args[0][(*place[:axis], start + step * place[axis], *place[axis + 1 :])]


def reshaped(node: Node, args: list[Cells], place: tuple[int, ...]) -> Any:
    """The element with the same row-major number."""
    number = 0
    for k, length in zip(place, node.shape, strict=True):
        number = number * length + k
    return list(args[0].values())[number]


def joined(node: Node, args: list[Cells], place: tuple[int, ...]) -> Any:
    """The element of the part that reaches here."""
    k = place[0]
    for cells, a in zip(args, node.args, strict=True):
        if k < a.shape[0]:
            return cells[(k, *place[1:])]
        k -= a.shape[0]
    raise AssertionError(place)


MOVES: dict[str, Callable[[Node, list[Cells], tuple[int, ...]], Any]] = {
    "iota": lambda n, a, p: p[0],
    "gather": gathered,
    "slice": sliced,
    "reshape": reshaped,
    "stack": lambda n, a, p: a[p[0]][p[1:]],
    "concat": joined,
    "reduce": lambda n, a, p: fold(n, a[0], p),
    "result": lambda n, a, p: a[0][n.attr][p],
}

SCALARS: dict[str, Callable[..., Any]] = {
    "add": lambda n, a, b: a + b,
    "sub": lambda n, a, b: a - b,
    "mul": lambda n, a, b: a * b,
    "div": lambda n, a, b: a / b,
    "min": lambda n, a, b: b if b < a else a,
    "max": lambda n, a, b: b if a < b else a,
    "neg": lambda n, a: -a,
    "sqrt": lambda n, a: np.sqrt(a),
    "lt": lambda n, a, b: bool(a < b),
    "le": lambda n, a, b: bool(a <= b),
    "eq": lambda n, a, b: bool(a == b),
    "and": lambda n, a, b: a and b,
    "or": lambda n, a, b: a or b,
    "not": lambda n, a: not a,
    "band": lambda n, a, b: a & b,
    "bor": lambda n, a, b: a | b,
    "shl": lambda n, a: wrap(a << n.attr),
    "shr": lambda n, a: a >> n.attr,
    "mulshr": lambda n, a, b: (a * b + (1 << (n.attr - 1))) >> n.attr,
    "where": lambda n, c, a, b: a if c else b,
    "cast": lambda n, a: f32(a) if n.dtype == "f32" else int(a),
    "bits": lambda n, a: from_bits(a) if n.dtype == "f32" else to_bits(a),
}
