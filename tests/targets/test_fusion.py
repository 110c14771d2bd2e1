"""Fusion: what shares a loop, what is kept, what is computed again; never what would change a bit."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Node
from bimetal.program.program import Draft, Program
from bimetal.targets.loops import For, Op, Store
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget
from tests.targets.given import body_of, one_output, parts_of


def loops(program: Program) -> int:
    """How many loops a program of one clock has."""
    return sum(isinstance(s, For) for s in body_of(program))


def kept(program: Program) -> int:
    """How many scratch buffers it has."""
    return len({s.buf for s in body_of(program) if isinstance(s, Store) and s.buf.space == "scratch"})


def often(program: Program, op: str) -> int:
    """How often a spelling is written."""
    return sum(isinstance(p, Op) and p.op == op for s in body_of(program) for p in parts_of(s))


def test_a_chain_is_one_loop_and_nothing_is_kept() -> None:
    program = one_output(lambda a, b: letter.sqrt(letter.add(letter.mul(a, b), 1.0)), (9,), (9,))
    assert (loops(program), kept(program)) == (1, 0)


def test_two_results_of_one_value_share_its_loop() -> None:
    draft = Draft("two")
    root = letter.sqrt(draft.input("x", shape=(9,)))
    draft.output("y", letter.add(root, 1.0))
    draft.output("z", letter.mul(root, 2.0))
    program = draft.finish()
    assert (loops(program), kept(program), often(program, "sqrt")) == (1, 0, 1)


def test_what_is_dear_is_kept_where_elements_are_taken_twice() -> None:
    def around(a: Node) -> Node:
        root = letter.sqrt(a)
        return letter.add(root, letter.slice_(root, 8, -1, -1))

    program = one_output(around, (9,))
    assert (kept(program), often(program, "sqrt")) == (1, 1)


def test_what_is_cheap_is_computed_again() -> None:
    def around(a: Node) -> Node:
        twice = letter.mul(a, 2.0)
        return letter.add(twice, letter.slice_(twice, 8, -1, -1))

    program = one_output(around, (9,))
    assert (kept(program), often(program, "mul")) == (0, 2)


def test_a_sum_is_never_computed_twice() -> None:
    def around(a: Node) -> Node:
        total = letter.reduce(a)
        return letter.stack([total, letter.mul(total, total)])

    assert often(one_output(around, (9,)), "add") == 1


def test_parts_of_a_stack_go_straight_to_their_places() -> None:
    program = one_output(lambda a, b: letter.stack([letter.sqrt(a), letter.neg(b)]), (9,), (9,))
    assert kept(program) == 0


def carried_in_place() -> Program:
    """A quotient is taken at its own place and at the mirrored one, where what it is made of changes."""
    draft = Draft("carried in place")
    x = draft.input("x", shape=(6,))
    root = letter.sqrt(letter.mul(x, x))

    def turn(held: tuple[Node, ...], k: Node) -> list[Node]:
        ratio = letter.div(root, letter.add(held[0], 2.0))
        return [letter.add(ratio, letter.slice_(ratio, 5, -1, -1))]

    (last,) = letter.scan(4, [letter.const(np.ones(6), "f32")], turn)
    draft.output("y", last)
    return draft.finish()


def stored_in_place() -> Program:
    """The same with a state."""
    draft = Draft("stored in place")
    x = draft.input("x", shape=(6,))
    held = draft.state("held", np.ones(6))
    ratio = letter.div(x, letter.add(held, 2.0))
    draft.set(held, letter.add(ratio, letter.slice_(ratio, 5, -1, -1)))
    draft.output("y", held)
    return draft.finish()


@pytest.mark.parametrize("program", [carried_in_place(), stored_in_place()], ids=lambda p: p.title)
def test_what_is_taken_elsewhere_too_is_computed_before(program: Program) -> None:
    block = pack(program, {})
    rows = np.zeros(5, layout_of(program).input.dtype)
    rows["x"] = np.random.default_rng(1).normal(size=(5, 6))
    law, wasm = (
        t.load(program, block).run(initial_state(program), rows) for t in (NumpyTarget(), WasmTarget())
    )
    assert law[0] == wasm[0]
    assert law[1].tobytes() == wasm[1].tobytes()


def test_the_same_program_is_lowered_the_same_way() -> None:
    """What shares a loop does not depend on where nodes lie in memory."""
    forms = {str([repr(s) for s in body_of(carried_in_place())]) for _ in range(5)}
    assert len(forms) == 1
