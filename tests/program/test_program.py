"""Drafts grow into programs, and refuse what cannot be one."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import EVERY, Clock, Node
from bimetal.program.program import Draft, bounds_of


def test_a_draft_becomes_a_program() -> None:
    draft = Draft("sum")
    x = draft.input("x", unit="bar")
    total = draft.state("total", 0.0)
    gain = draft.param("gain", 2.0, low=0, high=10)
    after = letter.add(total, letter.mul(gain, x))
    draft.set(total, after)
    draft.output("y", after)
    program = draft.finish()
    assert [i.name for i in program.inputs] == ["x"]
    assert (program.params[0].low, program.params[0].high) == (0, 10)
    assert program.roots() == (after, after)
    assert program.clocks == (EVERY,)
    assert draft.values == {"gain": np.float32(2.0)}


@pytest.mark.parametrize("name", ["", "a b", "1st", "a-b", "läs s"])
def test_a_name_must_be_an_identifier(name: str) -> None:
    draft = Draft()
    for declare in (draft.input, lambda n: draft.param(n, 0.0), lambda n: draft.state(n, 0.0)):
        with pytest.raises(BadProgram, match="identifier"):
            declare(name)


def test_inputs_parameters_and_outputs_are_declared_once() -> None:
    draft = Draft()
    x = draft.input("x")
    draft.param("p", 0.0)
    draft.output("y", x)
    for again in (lambda: draft.input("x"), lambda: draft.param("p", 1.0), lambda: draft.output("y", x)):
        with pytest.raises(BadProgram, match="twice"):
            again()


def test_a_second_state_of_a_name_gets_a_number() -> None:
    draft = Draft()
    assert [draft.state("ring", 0.0).name for _ in range(3)] == ["ring", "ring_2", "ring_3"]


def test_a_state_is_written_once_in_its_shape_and_type_at_its_clock() -> None:
    draft = Draft()
    state = draft.state("s", np.zeros(3))
    slow = draft.state("slow", np.zeros(3), clock=Clock(2, 1))
    with pytest.raises(BadProgram, match="cannot hold"):
        draft.set(state, letter.const(1.0, "f32"))
    with pytest.raises(BadProgram, match="cannot hold"):
        draft.set(state, letter.const([1, 2, 3], "i32"))
    with pytest.raises(BadProgram, match="written at"):
        draft.set(state, slow)
    draft.set(state, letter.const(1.0, "f32"), at=letter.const(0, "i32"))
    with pytest.raises(BadProgram, match="twice"):
        draft.set(state, state)


def test_roots_of_a_clock_are_what_it_writes_and_puts_out() -> None:
    draft = Draft()
    fast, slow = draft.state("fast", 0.0), draft.state("slow", 0.0, clock=Clock(2, 1))
    seen = Node("state", (), (), "f32", clock=Clock(2, 1), name="fast")
    draft.set(slow, seen)
    draft.set(fast, draft.input("x"))
    draft.output("fixed", letter.const(1.0, "f32"))
    program = draft.finish()
    assert program.clocks == (EVERY, Clock(2, 1))
    assert program.roots(Clock(2, 1)) == (seen,)
    assert [n.op for n in program.roots(EVERY)] == ["input", "const"]
    assert slow.clock == Clock(2, 1)


def test_bounds_are_those_of_the_type() -> None:
    assert bounds_of("i8") == (-128, 127)
    assert bounds_of("b1") == (0, 1)
    assert bounds_of("f32")[1] == float(np.finfo(np.float32).max)
