"""Canonical bytes of a program: what is stored, signed, and read again from strangers.

CBOR (RFC 8949, deterministic) of one array: format, title, inputs, parameters, states, nodes, sets,
outputs (see plain.py). Nodes stand in an order in which arguments come first and are named by their
place. Names of nodes that nothing refers to are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cbor2
import msgspec

from bimetal.nouns.errors import BadInput
from bimetal.program.node import EVERY, Node, walk
from bimetal.program.plain import (
    PlainNode,
    PlainOutput,
    PlainPlace,
    PlainProgram,
    PlainSet,
    PlainState,
    check_plain,
)
from bimetal.program.program import Program
from bimetal.program.rebuild import rebuild
from bimetal.program.scope import bound_by

FORMAT = 1
LARGEST = 16 * 2**20
"""The most bytes of a program that are read."""


def encode(program: Program) -> bytes:
    """Return the bytes of a program; the same program always gives the same bytes."""
    nodes = _in_order(program.roots())
    place = {node: k for k, node in enumerate(nodes)}
    whole = PlainProgram(
        FORMAT,
        program.title,
        tuple(
            PlainPlace(i.name, i.shape, i.dtype, i.unit, float(i.low), float(i.high)) for i in program.inputs
        ),
        tuple(
            PlainPlace(p.name, p.shape, p.dtype, p.unit, float(p.low), float(p.high)) for p in program.params
        ),
        tuple(
            PlainState(
                s.name,
                s.shape,
                s.dtype,
                float(s.low),
                float(s.high),
                (s.clock.period, s.clock.first),
                s.init.tobytes(),
            )
            for s in program.states
        ),
        tuple(
            PlainNode(n.op, n.dtype, n.shape, tuple(place[a] for a in n.args), _plain(n, place))
            for n in nodes
        ),
        tuple(PlainSet(s.state, place[s.value], None if s.at is None else place[s.at]) for s in program.sets),
        tuple(PlainOutput(name, place[n]) for name, n in program.outputs),
    )
    return cbor2.dumps(msgspec.to_builtins(whole, builtin_types=(bytes,)), canonical=True)


def decode(data: bytes) -> Program:
    """Return the program of these bytes, every letter rebuilt under its own rules.

    Raises BadInput for bytes that are not a program, BadProgram for letters that break a rule. What
    holds the letters together is checked by verify.check: call it before the program is used.
    """
    if len(data) > LARGEST:
        raise BadInput(f"{len(data)} bytes are more than the {LARGEST} allowed", where="program")
    check_plain(data, where="program")
    try:
        whole = msgspec.convert(cbor2.loads(data), PlainProgram)
        if whole.format != FORMAT:
            raise BadInput(f"its format {whole.format} is not known", where="program", hint="Update bimetal")
        return rebuild(whole)
    except (msgspec.ValidationError, cbor2.CBORDecodeError) as e:
        raise BadInput(f"the bytes are not a program: {e}", where="program") from None


def _in_order(roots: Iterable[Node]) -> list[Node]:
    """Return every node once, arguments first, and with a loop all it gives values to."""
    found: dict[Node, None] = {}
    for node in walk(roots):
        if node.op in ("scan", "each"):
            found.update(dict.fromkeys(bound_by(node)))
        found[node] = None
    return list(found)


def _plain(node: Node, place: dict[Node, int]) -> Any:
    """Return what stands beside a letter, in the form of rebuild.ATTRIBUTES."""
    match node.op:
        case "const":
            return node.attr.tobytes()
        case "input" | "param":
            return node.name
        case "state":
            clock = node.clock or EVERY
            return (node.name, clock.period, clock.first)
        case "carry":
            return (node.attr, (node.clock.period, node.clock.first) if node.clock else ())
        case "scan":
            turns, carries, turn = node.attr
            return (turns, tuple(place[c] for c in carries), place[turn])
        case "each":
            return (node.attr[0], place[node.attr[1]])
        case _:
            return node.attr
