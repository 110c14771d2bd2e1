"""Pure: as a function of reading and state, a program has the law's bits, whatever its clocks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.program import letter, word
from bimetal.program.block import HEAD, pack, unpack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import EVERY, Clock
from bimetal.program.program import Draft, Program
from bimetal.targets.numpy import NumpyRunning, NumpyTarget
from bimetal.targets.pure import first_states, names_of, pure
from tests.agree.case import expected

ROWS = 20


def by_hand(program: Program, block: bytes, rows: NDArray) -> tuple[bytes, NDArray, NDArray]:
    """Run a program as a function, and carry its states from call to call."""
    made = pure(program)
    running = NumpyRunning(made, unpack(program, block))
    lay, names, states = layout_of(program), names_of(program), first_states(program)
    outputs, fired = np.zeros(len(rows), lay.output.dtype), np.zeros(len(rows), np.uint32)
    for t in range(len(rows)):
        given = np.zeros(1, running.layouts.input.dtype)
        for name in rows.dtype.names or ():
            given[name] = rows[name][t]
        for name, value in states.items():
            given[name] = value
        _, found, _ = running.run(b"", given)
        for name in outputs.dtype.names or ():
            outputs[name][t] = found[name][0]
        fired[t] = found[made.outputs[-1][0]].astype(np.int32).view(np.uint32)[0]
        states = {into: found[out][0] for into, out in names.values()}
    after = np.zeros(1, lay.state.dtype)
    for name, (into, _) in names.items():
        after[name] = states[into]
    return after.tobytes(), outputs, fired


@pytest.mark.parametrize("group", ["odd", "random", "detectors"])
def test_a_function_that_is_handed_its_state_gives_the_laws_bits(group: str) -> None:
    for case in expected(group)[0]:
        run = case.runs[1]
        rows = run.rows[-ROWS:]
        law = NumpyTarget().load(case.program, run.block).run(initial_state(case.program), rows)
        state, outputs, fired = by_hand(case.program, run.block, rows)
        assert list(fired) == list(law[2]), case.name
        assert outputs.tobytes() == law[1].tobytes(), case.name
        assert state == law[0], case.name


def test_nothing_of_a_function_has_a_clock_or_a_state() -> None:
    draft = Draft("slow")
    held = draft.state("held", np.zeros(3))
    draft.set(held, draft.input("x", shape=(3,)))
    draft.output("y", letter.add(word.sample(held, Clock(4, 3)), 1.0))
    made = pure(draft.finish())
    assert made.clocks == (EVERY,)
    assert not made.states
    assert not any(n.op == "state" for n in made.nodes())
    assert [i.name for i in made.inputs] == ["x", "state_held", "state_wait_4_3"]
    assert [name for name, _ in made.outputs] == ["y", "next_held", "next_wait_4_3", "fired"]


def test_names_that_are_taken_get_a_tail() -> None:
    draft = Draft("taken")
    held = draft.state("x", 0.0)
    draft.set(held, word.clip(draft.input("state_x"), -1.0, 1.0))
    for name in ("next_x", "fired"):
        draft.output(name, held)
    program = draft.finish()
    made = pure(program)
    assert names_of(program) == {"x": ("state_x_", "next_x_")}
    assert made.outputs[-1][0] == "fired_"
    assert first_states(program) == {"state_x_": 0.0}
    assert len(pack(program, {})) == HEAD.size
