"""Rebuild a program from its plain form, every letter under its own rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program import letter
from bimetal.program.node import DTYPES, EVERY, Clock, Node
from bimetal.program.plain import PlainNode, PlainProgram, PlainState
from bimetal.program.program import Input, Param, Program, SetTo, State

MOST_NODES = 50_000
MOST_ELEMENTS = 2**20
MOST_AXES = 8
"""Limits on what is read: letters of a program, elements and axes of one letter."""

ATTRIBUTES: dict[str, Any] = {
    "const": bytes,
    "input": str,
    "param": str,
    "state": tuple[str, int, int],
    "carry": tuple[int, tuple[int, ...]],
    "iter": int,
    "scan": tuple[int, tuple[int, ...], int],
    "each": tuple[int, int],
    "result": int,
    "reduce": tuple[str, int],
    "slice": tuple[int, int, int],
    "shl": int,
    "shr": int,
    "mulshr": int,
    "where": bool | None,
}
"""What stands beside each letter: the values of a const; names; (name, period, first) of a state as
it is read; (which, clock or nothing) of a carry; (turns, carries, iter) of a scan; (turns, iter) of
an each; true of a where that is a when; the rest as in letter.py. Other letters have nothing (null)."""

Places = dict[tuple[str, str], Input | Param | State]


def rebuild(whole: PlainProgram) -> Program:
    """Return the program of a plain form; raises BadInput or BadProgram, never anything else."""
    if len(whole.nodes) > MOST_NODES:
        raise BadInput(f"{len(whole.nodes)} letters are more than {MOST_NODES}", where="program")
    inputs = tuple(
        Input(i.name, _shape(i.shape), _dtype(i.dtype), i.unit, i.low, i.high) for i in whole.inputs
    )
    params = tuple(
        Param(p.name, _shape(p.shape), _dtype(p.dtype), p.low, p.high, p.unit) for p in whole.params
    )
    states = tuple(_state(s) for s in whole.states)
    places: Places = {}
    for kind, group in (("input", inputs), ("param", params), ("state", states)):
        for place in group:
            if places.setdefault((kind, place.name), place) is not place:
                raise BadInput(f"{kind} {place.name!r} is declared twice", where="program")
    nodes: list[Node] = []
    for plain in whole.nodes:
        nodes.append(_checked(_node(plain, nodes, places), plain, len(nodes)))
    sets = [
        SetTo(s.state, _at(nodes, s.value), None if s.at is None else _at(nodes, s.at)) for s in whole.sets
    ]
    outputs = tuple((o.name, _at(nodes, o.value)) for o in whole.outputs)
    return Program(inputs, params, states, tuple(sets), outputs, whole.title)


def _checked(node: Node, plain: PlainNode, k: int) -> Node:
    if (node.dtype, node.shape) != (plain.dtype, plain.shape):
        raise BadInput(
            f"letter {k} claims to be {plain.dtype}{list(plain.shape)} but is {node!r}", where="program"
        )
    return node


def _node(plain: PlainNode, nodes: list[Node], places: Places) -> Node:
    """Rebuild one letter from the nodes before it."""
    _shape(plain.shape)
    args = [_at(nodes, a) for a in plain.args]
    attr = _attribute(plain)
    if plain.op in _LEAVES:
        _expect(plain, not args)
        return _LEAVES[plain.op](plain, attr, places)
    if plain.op == "scan":
        turns, carries, turn = attr
        loop = [_at(nodes, c) for c in carries]
        _expect(plain, bool(loop) and len(args) == 2 * len(loop) and all(c.op == "carry" for c in loop))
        results = letter.close_scan(
            turns, loop, _turn(plain, nodes, turn, turns), args[: len(loop)], args[len(loop) :]
        )
        return results[0].args[0]
    if plain.op == "each":
        _expect(plain, len(args) == 1)
        return letter.close_each(attr[0], _turn(plain, nodes, attr[1], attr[0]), args[0])
    if plain.op in ("stack", "concat"):
        return letter.stack(args) if plain.op == "stack" else letter.concat(args)
    count, build = _LETTERS.get(plain.op, (-1, _never))
    _expect(plain, count == len(args))
    return build(args, attr, plain)


def _attribute(plain: PlainNode) -> Any:
    return msgspec.convert(plain.attr, ATTRIBUTES.get(plain.op))


def _place(plain: PlainNode, attr: Any, places: Places) -> Node:
    name = attr[0] if plain.op == "state" else attr
    place = places.get((plain.op, name))
    if place is None:
        raise BadInput(f"{plain.op} {name!r} is not declared", where="program")
    clock = {"input": EVERY, "param": None}[plain.op] if plain.op != "state" else _clock(attr[1:])
    return Node(plain.op, (), place.shape, place.dtype, clock=clock, name=name)


def _carry(plain: PlainNode, attr: Any, _: Places) -> Node:
    which, clock = attr
    _expect(plain, which >= 0 and len(clock) in (0, 2))
    return Node(
        "carry", (), plain.shape, _dtype(plain.dtype), attr=which, clock=_clock(clock) if clock else None
    )


def _iter(plain: PlainNode, attr: Any, _: Places) -> Node:
    _expect(plain, 1 <= attr < 2**31)
    return Node("iter", (), (), "i32", attr=attr)


def _iota(plain: PlainNode, _: Any, __: Places) -> Node:
    _expect(plain, len(plain.shape) == 1)
    return letter.iota(plain.shape[0])


def _const(plain: PlainNode, attr: Any, _: Places) -> Node:
    return letter.const(_array(attr, plain.dtype, plain.shape), plain.dtype)


def _slice(args: list[Node], attr: Any, plain: PlainNode) -> Node:
    axis: int
    start, step, axis = attr
    _expect(plain, 0 <= axis < len(plain.shape))
    return letter.slice_(args[0], start, start + plain.shape[axis] * step, step, axis)


def _where(args: list[Node], lazy: bool | None, plain: PlainNode) -> Node:
    if not lazy:
        return letter.where(*args)
    _expect(plain, args[2].op == "const" and not args[2].attr.tobytes().strip(b"\0"))
    return letter.when(*args[:2])


def _result(args: list[Node], attr: int, plain: PlainNode) -> Node:
    _expect(plain, args[0].op == "scan" and 0 <= attr < len(args[0].attr[1]))
    start = args[0].args[attr]
    return Node("result", (args[0],), start.shape, start.dtype, attr=attr, clock=args[0].clock)


def _never(args: list[Node], attr: Any, plain: PlainNode) -> Node:
    raise BadInput(f"{plain.op!r} is not a letter", where="program")


_LEAVES: dict[str, Callable[[PlainNode, Any, Places], Node]] = {
    "input": _place,
    "param": _place,
    "state": _place,
    "carry": _carry,
    "iter": _iter,
    "iota": _iota,
    "const": _const,
}

_LETTERS: dict[str, tuple[int, Callable[[list[Node], Any, PlainNode], Node]]] = {
    "add": (2, lambda a, _, __: letter.add(*a)),
    "sub": (2, lambda a, _, __: letter.sub(*a)),
    "mul": (2, lambda a, _, __: letter.mul(*a)),
    "div": (2, lambda a, _, __: letter.div(*a)),
    "min": (2, lambda a, _, __: letter.minimum(*a)),
    "max": (2, lambda a, _, __: letter.maximum(*a)),
    "neg": (1, lambda a, _, __: letter.neg(*a)),
    "sqrt": (1, lambda a, _, __: letter.sqrt(*a)),
    "lt": (2, lambda a, _, __: letter.lt(*a)),
    "le": (2, lambda a, _, __: letter.le(*a)),
    "eq": (2, lambda a, _, __: letter.eq(*a)),
    "and": (2, lambda a, _, __: letter.both(*a)),
    "or": (2, lambda a, _, __: letter.either(*a)),
    "not": (1, lambda a, _, __: letter.invert(*a)),
    "band": (2, lambda a, _, __: letter.band(*a)),
    "bor": (2, lambda a, _, __: letter.bor(*a)),
    "shl": (1, lambda a, by, _: letter.shl(a[0], by)),
    "shr": (1, lambda a, by, _: letter.shr(a[0], by)),
    "mulshr": (2, lambda a, by, _: letter.mulshr(a[0], a[1], by)),
    "where": (3, _where),
    "cast": (1, lambda a, _, plain: letter.cast(a[0], plain.dtype)),
    "bits": (1, lambda a, _, __: letter.bits(*a)),
    "gather": (2, lambda a, _, __: letter.gather(*a)),
    "slice": (1, _slice),
    "reshape": (1, lambda a, _, plain: letter.reshape(a[0], plain.shape)),
    "reduce": (1, lambda a, attr, _: letter.reduce(a[0], attr[0], attr[1])),
    "result": (1, _result),
}


def _state(plain: PlainState) -> State:
    init = _array(plain.init, _dtype(plain.dtype), _shape(plain.shape))
    return State(plain.name, init, plain.dtype, plain.low, plain.high, _clock(plain.clock))


def _array(data: bytes, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return frozen values from their bytes."""
    kind = DTYPES[_dtype(dtype)]
    if len(data) != kind.itemsize * int(np.prod(shape, dtype=np.int64)):
        raise BadInput(f"{len(data)} bytes are not the values of {dtype}{list(shape)}", where="program")
    return np.frombuffer(data, kind).reshape(shape)


def _at(nodes: list[Node], k: int) -> Node:
    if not 0 <= k < len(nodes):
        raise BadInput(f"it names letter {k}, which does not come before", where="program")
    return nodes[k]


def _turn(plain: PlainNode, nodes: list[Node], k: int, turns: int) -> Node:
    turn = _at(nodes, k)
    _expect(plain, turn.op == "iter" and turn.attr == turns)
    return turn


def _clock(clock: tuple[int, ...]) -> Clock:
    if len(clock) != 2 or not (1 <= clock[0] < 2**31 and 0 <= clock[1] < 2**31):
        raise BadInput(f"{list(clock)} is not a clock", where="program")
    return Clock(*clock)


def _shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    size = 1
    for length in shape:
        size *= length if 0 < length <= MOST_ELEMENTS else MOST_ELEMENTS + 1
    if len(shape) > MOST_AXES or size > MOST_ELEMENTS:
        raise BadInput(f"the shape {list(shape)} is empty or too large", where="program")
    return shape


def _dtype(dtype: str) -> str:
    if dtype not in DTYPES:
        raise BadInput(f"{dtype!r} is not a type of element", where="program")
    return dtype


def _expect(plain: PlainNode, holds: bool) -> None:
    if not holds:
        raise BadInput(f"the letter {plain.op!r} is not well formed", where="program")
