"""Order: everything sees the states as they were, whatever is written to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.targets.loops import Note, Store
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget
from tests.targets.given import body_of

LATE = "what was computed from the old values is written now"
Make = Callable[[Draft, Node], None]


def counter(draft: Draft, x: Node) -> None:
    """A state that only it reads, at the place it writes."""
    held = draft.state("held", np.zeros(4))
    draft.set(held, letter.add(held, x))


def swap(draft: Draft, x: Node) -> None:
    """Two states that become each other."""
    a, b = draft.state("a", np.arange(4.0)), draft.state("b", np.ones(4))
    draft.set(a, letter.add(b, x))
    draft.set(b, a)


def three_in_a_ring(draft: Draft, x: Node) -> None:
    """Three states that go round."""
    states = [draft.state(f"s{k}", np.full(4, float(k))) for k in range(3)]
    for k in range(3):
        draft.set(states[k], letter.sub(states[(k + 1) % 3], x))


def mirrored(draft: Draft, x: Node) -> None:
    """A state that turns round."""
    held = draft.state("held", np.arange(4.0))
    draft.set(held, letter.add(letter.slice_(held, 3, -1, -1), x))


def shifted(draft: Draft, x: Node) -> None:
    """A state whose elements move on by one."""
    held = draft.state("held", np.arange(4.0))
    draft.set(held, letter.concat([letter.slice_(x, 0, 1), letter.slice_(held, 0, 3)]))


def chosen(draft: Draft, x: Node) -> None:
    """One item of a state, at a place that moves on in the same turn, from other items of it."""
    held = draft.state("held", np.arange(4.0))
    k = draft.state("k", 0, "i32", low=0, high=3)
    total = word.total(letter.mul(held, x))
    draft.set(held, word.clip(total, -1e3, 1e3), at=k)
    draft.set(k, letter.band(letter.add(k, 1), 3))


def read_afterwards(draft: Draft, x: Node) -> None:
    """A state that an output reads as it was."""
    held = draft.state("held", np.zeros(4))
    draft.set(held, x)
    draft.output("old", letter.sqrt(held))
    draft.output("difference", letter.sub(x, held))


MAKERS: tuple[Make, ...] = (counter, swap, three_in_a_ring, mirrored, shifted, chosen, read_afterwards)


def drafted(make: Make) -> Draft:
    """A program of one of these."""
    draft = Draft(make.__name__)
    make(draft, draft.input("x", shape=(4,)))
    for state in draft.finish().states:
        draft.output(f"was_{state.name}", Node("state", (), state.shape, state.dtype, clock=state.clock,
                                              name=state.name))  # fmt: skip
    return draft


@pytest.mark.parametrize("make", MAKERS)
def test_states_are_read_as_they_were(make: Make) -> None:
    program = drafted(make).finish()
    rows = np.zeros(9, layout_of(program).input.dtype)
    rows["x"] = np.random.default_rng(2).normal(size=(9, 4))
    block = pack(program, {})
    law, wasm = (
        t.load(program, block).run(initial_state(program), rows) for t in (NumpyTarget(), WasmTarget())
    )
    assert law[0] == wasm[0]
    assert law[1].tobytes() == wasm[1].tobytes()


@pytest.mark.parametrize(
    ("make", "late"), [(counter, False), (swap, True), (mirrored, True), (shifted, True)]
)
def test_only_what_must_wait_goes_by_way_of_scratch_memory(make: Make, late: bool) -> None:
    draft = Draft(make.__name__)
    make(draft, draft.input("x", shape=(4,)))
    body = body_of(draft.finish())
    waits = any(isinstance(s, Note) and s.text == LATE for s in body)
    kept = any(isinstance(s, Store) and s.buf.space == "scratch" for s in body)
    assert (waits, kept) == (late, late)


def test_of_two_states_that_become_each_other_one_waits() -> None:
    """The smaller one, so that little memory is taken."""
    draft = Draft("unequal")
    x = draft.input("x")
    a, b = draft.state("a", np.zeros(50)), draft.state("b", np.zeros(2))
    draft.set(a, letter.add(letter.mul(a, word.total(b)), x))
    draft.set(b, letter.add(b, word.total(a)))
    kept = {s.buf.size for s in body_of(draft.finish()) if isinstance(s, Store) and s.buf.space == "scratch"}
    assert kept <= {2}
