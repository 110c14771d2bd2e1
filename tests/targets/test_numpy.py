"""The law keeps what it says: truth values, the one NaN, zeros from who did not fire."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Draft
from bimetal.targets.numpy import NumpyTarget
from tests.agree.random_program import random_rows
from tests.targets.given import bits, small


def test_it_is_always_there() -> None:
    assert NumpyTarget().present() == ""


def test_any_byte_but_zero_is_true() -> None:
    draft = Draft("truth")
    on = draft.input("on", "b1")
    held = draft.state("held", False, "b1")
    draft.set(held, on)
    draft.output("y", on)
    draft.output("not_y", letter.invert(on))
    program = draft.finish()
    rows = np.zeros(4, layout_of(program).input.dtype)
    rows["on"] = [0, 1, 2, 255]
    state, outputs, _ = NumpyTarget().load(program, pack(program, {})).run(initial_state(program), rows)
    assert outputs["y"].tolist() == [0, 1, 1, 1]
    assert outputs["not_y"].tolist() == [1, 0, 0, 0]
    assert state == b"\1"


def test_every_nan_is_the_one_nan_where_it_is_put_out_or_kept() -> None:
    draft = Draft("nan")
    x = draft.input("x")
    held = draft.state("held", 0.0)
    draft.set(held, x)
    draft.output("y", x)
    program = draft.finish()
    rows = np.zeros(3, layout_of(program).input.dtype)
    rows["x"] = np.array([0xFFC00000, 0x7F800001, 0x7FFFFFFF], np.uint32).view(np.float32)
    state, outputs, _ = NumpyTarget().load(program, pack(program, {})).run(initial_state(program), rows)
    assert set(bits(outputs["y"])) == {0x7FC00000}
    assert bits(np.frombuffer(state, "<f4")) == [0x7FC00000]


def test_what_did_not_fire_is_zero() -> None:
    draft = Draft("slow")
    draft.output("y", letter.add(word.total(word.window(draft, draft.input("x"), 2, 3)), 1.0))
    program = draft.finish()
    rows = np.zeros(8, layout_of(program).input.dtype)
    _, outputs, fired = NumpyTarget().load(program, pack(program, {})).run(initial_state(program), rows)
    assert fired.tolist() == [1, 3, 1, 1, 3, 1, 1, 3]
    assert outputs["y"].tolist() == [0, 1, 0, 0, 1, 0, 0, 1]


def test_what_is_given_is_left_alone() -> None:
    program, block = small()
    running = NumpyTarget().load(program, block)
    rows = random_rows(program, 1, 5)
    rows.setflags(write=False)
    states = np.frombuffer(initial_state(program) * 2, np.uint8).reshape(2, -1)
    running.run_devices(states, np.stack([rows, rows]))
    assert states.tobytes() == initial_state(program) * 2


def test_what_does_not_fit_is_refused() -> None:
    program, block = small()
    running = NumpyTarget().load(program, block)
    for state, rows in (
        (b"", random_rows(program, 1, 2)),
        (initial_state(program), np.zeros(2, [("x", "<f4")])),
    ):
        with pytest.raises(BadInput):
            running.run(state, rows)
    with pytest.raises(BadInput):
        NumpyTarget().load(program, block[:-1])
