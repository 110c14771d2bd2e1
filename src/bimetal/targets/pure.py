"""Pure: a program as one function without memory: readings and states in, results and states out.

It is what formats need that keep no state. Clocks become arithmetic: every stage is computed at every
reading, and one that is not due changes nothing and puts out 0. It has the law's bits: NumPy runs it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program import letter
from bimetal.program.layout import initial_state, layout_of, wait_of
from bimetal.program.node import DTYPES, EVERY, Clock, Node, constant, walk
from bimetal.program.program import Input, Program

FIRED = "fired"


def pure(program: Program) -> Program:
    """Return the program as a function.

    Its inputs are those of the program and every field of the state; its outputs those of the program,
    every field of the state as it is afterwards, and which clocks fired (i32). Names: see `names_of`.
    """
    names = names_of(program)
    fields = layout_of(program).state.fields
    now = {f.name: Node("input", (), f.shape, f.dtype, clock=EVERY, name=names[f.name][0]) for f in fields}
    inputs = tuple(Input(names[f.name][0], f.shape, f.dtype) for f in fields)
    outputs: dict[str, Node] = {}
    fired = letter.const(0, "i32")
    for k, clock in enumerate(program.clocks):
        now, due, results = _stage(program, clock, now)
        outputs |= results
        bit = letter.const(_signed(1 << k), "i32")
        fired = letter.bor(fired, bit if due is None else letter.where(due, bit, 0))
    after = [(names[f.name][1], now[f.name]) for f in fields]
    return Program(
        program.inputs + inputs,
        program.params,
        (),
        (),
        (*((name, outputs[name]) for name, _ in program.outputs), *after, (_free(FIRED, outputs), fired)),
        program.title,
    )


def names_of(program: Program) -> dict[str, tuple[str, str]]:
    """Return what every field of the state is called among the inputs, and among the outputs."""
    ins, outs = {i.name for i in program.inputs}, {name for name, _ in program.outputs}
    fields = layout_of(program).state.fields
    return {f.name: (_free(f"state_{f.name}", ins), _free(f"next_{f.name}", outs)) for f in fields}


def first_states(program: Program) -> dict[str, NDArray[Any]]:
    """Return the states of a device that has seen nothing yet, by the names of the inputs."""
    layout, data = layout_of(program).state, initial_state(program)
    names = names_of(program)
    return {names[f.name][0]: _field(data, f.offset, f.dtype, f.shape) for f in layout.fields}


def _field(data: bytes, offset: int, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(data, DTYPES[dtype], count, offset).reshape(shape)


def _stage(
    program: Program, clock: Clock, before: Mapping[str, Node]
) -> tuple[dict[str, Node], Node | None, dict[str, Node]]:
    """Return the states after a stage, when it is due (None: always), and what it puts out."""
    new = _without_clocks(program.roots(clock), before)
    after = dict(before)
    due: Node | None = None
    if clock != EVERY:
        wait = before[wait_of(clock)]
        due = letter.eq(wait, 0)
        after[wait_of(clock)] = letter.where(due, clock.period - 1, letter.sub(wait, 1))
    owner = {s.name: s for s in program.states}
    for s in program.sets:
        state = owner[s.state]
        if state.clock == clock:
            old, value = before[s.state], new[s.value]
            if s.at is not None:
                value = letter.where(_chosen(new[s.at], state.shape), value, old)
            after[s.state] = value if due is None else letter.where(due, value, old)
    results = {name: new[n] for name, n in program.outputs if (n.clock or EVERY) == clock}
    if due is not None:
        results = {name: letter.where(due, n, _zero(n.dtype)) for name, n in results.items()}
    return after, due, results


def _chosen(at: Node, shape: tuple[int, ...]) -> Node:
    """Say of every item of a state whether it is the one that is written."""
    column = letter.reshape(letter.iota(shape[0]), (shape[0], *(1 for _ in shape[1:])))
    return letter.eq(column, at)


def _without_clocks(roots: Iterable[Node], states: Mapping[str, Node]) -> dict[Node, Node]:
    """Return every node below some roots again, computed at every reading from these states."""
    new: dict[Node, Node] = {}
    for node in walk(roots):
        if node.op == "state":
            new[node] = states[node.name]
            continue
        for carry in node.attr[1] if node.op == "scan" else ():
            new.setdefault(carry, replace(carry, clock=None))
        args = tuple(new[a] for a in node.args)
        clock = EVERY if node.op == "input" or any(a.clock for a in args) else None
        new[node] = replace(node, args=args, clock=clock, attr=_attribute(node, new))
    return new


def _attribute(node: Node, new: dict[Node, Node]) -> Any:
    """Return what stands beside a letter, with the nodes in it that took the place of others."""
    if node.op == "scan":
        turns, carries, turn = node.attr
        return turns, tuple(new[c] for c in carries), new.setdefault(turn, turn)
    if node.op == "each":
        turns, turn = node.attr
        return turns, new.setdefault(turn, turn)
    return node.attr


def _zero(dtype: str) -> Node:
    return constant(0, dtype)


def _signed(value: int) -> int:
    return value - 2**32 if value >= 2**31 else value


def _free(name: str, taken: Iterable[str]) -> str:
    while name in set(taken):
        name += "_"
    return name
