"""Snapshots move states, and nothing that proofs would not believe."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.program import letter, word
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Draft, Program
from bimetal.program.snapshot import HEAD, check_states, pack, unpack
from bimetal.targets.numpy import NumpyRunning
from tests.agree.random_program import random_program, random_rows


def program_of() -> Program:
    """A program with an index, a clean and a dirty state, a truth value and a slow clock."""
    draft = Draft("snapshot")
    x = draft.input("x")
    window = word.window(draft, x, 3, 3)
    word.hold(draft, x)
    seen = draft.state("seen", False, "b1")
    draft.set(seen, word.known(x))
    draft.output("sum", word.total(window))
    draft.output("seen", seen)
    return draft.finish()


def state_with(name: str, value: float) -> bytes:
    """The first state with one field changed."""
    program = program_of()
    struct = np.frombuffer(initial_state(program), layout_of(program).state.dtype).copy()
    struct[name] = value
    return struct.tobytes()


@pytest.mark.parametrize("seed", range(15))
def test_a_state_moves_in_the_middle_of_a_run(seed: int) -> None:
    program, values = random_program(seed)
    running = NumpyRunning(program, values)
    rows = random_rows(program, seed, 20, nasty=True)
    middle, _, _ = running.run(initial_state(program), rows[:11])
    moved = unpack(program, pack(program, middle))
    assert moved == middle
    assert running.run(moved, rows[11:])[0] == running.run(initial_state(program), rows)[0]


def test_what_a_state_may_be_passes() -> None:
    program = program_of()
    for state in (
        state_with("window", np.nan),
        state_with("window_head", 2),
        state_with("wait_3_2", 2),
        state_with("seen", 1),
    ):
        assert unpack(program, pack(program, state)) == state


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window_head", 3),
        ("window_head", -1),
        ("wait_3_2", 3),
        ("wait_3_2", -1),
        ("seen", 2),
        ("held", np.nan),
    ],
)
def test_what_it_may_not_be_is_refused(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=name):
        pack(program_of(), state_with(name, value))


def test_every_cut_is_refused() -> None:
    program = program_of()
    snapshot = pack(program, initial_state(program))
    assert len(snapshot) == HEAD.size + layout_of(program).state.size
    for n in range(len(snapshot)):
        with pytest.raises(BadInput):
            unpack(program, snapshot[:n])
    with pytest.raises(BadInput):
        unpack(program, snapshot + b"\0")


@pytest.mark.parametrize("at", range(28))
def test_a_changed_head_is_refused(at: int) -> None:
    program = program_of()
    snapshot = bytearray(pack(program, initial_state(program)))
    snapshot[at] ^= 1
    with pytest.raises(BadInput):
        unpack(program, bytes(snapshot))


def test_a_snapshot_of_another_program_is_refused() -> None:
    program, other = program_of(), Draft("other")
    other.output("y", letter.neg(other.input("x")))
    with pytest.raises(BadInput, match="it is of the program"):
        unpack(other.finish(), pack(program, initial_state(program)))


def test_many_states_are_checked_together() -> None:
    program = program_of()
    good = np.frombuffer(initial_state(program), np.uint8)
    bad = np.frombuffer(state_with("window_head", 7), np.uint8)
    check_states(program, np.stack([good] * 3))
    with pytest.raises(BadInput, match="window_head"):
        check_states(program, np.stack([good, bad, good]))
    with pytest.raises(BadInput, match="bytes"):
        check_states(program, good[None, :-1])


def test_a_program_without_state_has_an_empty_snapshot() -> None:
    draft = Draft("none")
    draft.output("y", letter.neg(draft.input("x")))
    program = draft.finish()
    assert unpack(program, pack(program, b"")) == b""
