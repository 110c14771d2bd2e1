"""The law itself is tried: against a plain interpreter on random programs, and letter by letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Clock, Node
from bimetal.program.program import Draft
from bimetal.targets.numpy import NumpyRunning, NumpyTarget
from bimetal.targets.numpy_letter import ELEMENTWISE, LETTERS
from tests.agree.random_program import random_program, random_rows
from tests.laws.interpreter import MOVES, SCALARS, Interpreter

INF, NAN = float("inf"), float("nan")
CANONICAL = 0x7FC00000


@pytest.mark.parametrize("nasty", [False, True], ids=["plain", "nasty"])
@pytest.mark.parametrize("seed", range(25))
def test_the_law_is_what_the_plain_interpreter_says(seed: int, nasty: bool) -> None:
    program, values = random_program(seed)
    running = NumpyTarget().load(program, pack(program, values))
    rows = random_rows(program, seed, 9, nasty=nasty)
    state, outputs, fired = running.run(initial_state(program), rows)
    plain = Interpreter(program, values)
    with np.errstate(all="ignore"):
        for t, row in enumerate(rows):
            expected = np.zeros((), running.layouts.output.dtype)
            out, bits = plain.step({name: row[name] for name in rows.dtype.names})
            for name, value in out.items():
                expected[name] = value
            assert bits == fired[t]
            assert outputs[t : t + 1].tobytes() == expected.tobytes()
    left = np.frombuffer(state, running.layouts.state.dtype)[0]
    for s in program.states:
        for place, value in plain.states[s.name].items():
            assert left[s.name][place] == value or (value != value and np.isnan(left[s.name][place]))


def test_the_interpreter_knows_every_letter() -> None:
    leaves = {"const", "param", "input", "state", "carry", "iter", "scan", "each"}
    assert set(MOVES) | set(SCALARS) | leaves == set(ELEMENTWISE) | set(LETTERS) | leaves


def value(make: Callable[..., Node], *arguments: tuple[Any, str]) -> Any:
    """What a letter gives for these arguments, as it is stored."""
    draft = Draft("letter")
    arrays = [np.array(v) for v, _ in arguments]
    nodes = [
        draft.input(f"x{k}", dtype, array.shape)
        for k, ((_, dtype), array) in enumerate(zip(arguments, arrays, strict=True))
    ]
    draft.output("y", make(*nodes))
    running = NumpyRunning(draft.finish(), {})
    row = np.zeros(1, running.layouts.input.dtype)
    for k, array in enumerate(arrays):
        row[f"x{k}"] = array
    return running.run(b"", row)[1]["y"][0]


def bits_of(array: Any) -> list[int]:
    """The bits of stored f32 values."""
    return [int(b) for b in np.atleast_1d(array).view(np.uint32)]


def test_max_and_min_keep_the_first_argument_beside_nan() -> None:
    a, b = [1.0, NAN, NAN, 2.0, -0.0, 0.0], [NAN, 1.0, NAN, 3.0, 0.0, -0.0]
    most = value(letter.maximum, (a, "f32"), (b, "f32"))
    assert most[0] == 1
    assert np.isnan(most[1:3]).all()
    assert list(np.signbit(most[4:])) == [True, False]
    least = value(letter.minimum, (a, "f32"), (b, "f32"))
    assert least[0] == 1
    assert list(np.signbit(least[4:])) == [True, False]


def test_comparisons_with_nan_are_false() -> None:
    for make in (letter.lt, letter.le, letter.eq):
        assert not value(make, ([NAN, 1.0], "f32"), ([NAN, NAN], "f32")).any()


def test_a_sum_goes_from_left_to_right_and_starts_from_its_first_element() -> None:
    x = [1e8, 1.0, -1e8, 1.0]
    assert value(letter.reduce, (x, "f32")) == 1.0
    assert bits_of(value(letter.reduce, ([-0.0, -0.0], "f32"))) == [0x80000000]


def test_folds_by_min_and_max_keep_a_nan_only_in_front() -> None:
    assert np.isnan(value(lambda x: letter.reduce(x, "max"), ([NAN, 1.0], "f32")))
    assert value(lambda x: letter.reduce(x, "max"), ([1.0, NAN, 3.0], "f32")) == 3
    assert value(lambda x: letter.reduce(x, "min"), ([5.0, NAN, 3.0], "f32")) == 3


def test_every_nan_is_stored_as_one() -> None:
    odd = np.array([0x7F800001, 0xFFC12345, 0x7FFFFFFF], np.uint32).view(np.float32)
    assert bits_of(value(lambda x: letter.reshape(x, (3,)), (odd, "f32"))) == [CANONICAL] * 3
    assert bits_of(value(letter.sub, ([INF], "f32"), ([INF], "f32"))) == [CANONICAL]


def test_whole_numbers_are_those_of_a_register() -> None:
    low = -(2**31)
    assert list(value(lambda x: letter.shr(x, 1), ([-1, -3, low], "i32"))) == [-1, -2, low >> 1]
    assert list(value(lambda x: letter.shl(x, 31), ([1, 2, 3], "i32"))) == [low, 0, low]
    assert value(lambda a, b: letter.mulshr(a, b, 1), (3, "i32"), (1, "i32")) == 2
    assert value(lambda a, b: letter.mulshr(a, b, 1), (-3, "i32"), (1, "i32")) == -1
    assert value(lambda a, b: letter.mulshr(a, b, 62), (low, "i32"), (low, "i32")) == 1
    assert value(lambda a, b: letter.mulshr(a, b, 31), (2**31 - 1, "i32"), (2**31 - 1, "i32")) == 2**31 - 2


def test_casts_round_as_they_say() -> None:
    assert list(value(lambda x: letter.cast(x, "i32"), ([2.9, -2.9, -0.5], "f32"))) == [2, -2, 0]
    assert list(value(lambda x: letter.cast(x, "f32"), ([16777217, 16777219], "i32"))) == [16777216, 16777220]
    assert list(value(lambda x: letter.cast(x, "i32"), ([-128, 127], "i8"))) == [-128, 127]


def test_a_byte_that_is_not_zero_reads_as_true() -> None:
    draft = Draft("b1")
    draft.output("y", draft.input("x", "b1"))
    running = NumpyRunning(draft.finish(), {})
    row = np.array([(2,), (0,), (255,)], running.layouts.input.dtype)
    assert list(running.run(b"", row)[1]["y"]) == [1, 0, 1]


def test_a_slice_may_walk_backwards() -> None:
    x = list(range(5))
    assert list(value(lambda a: letter.slice_(a, 4, -1, -1), (x, "i32"))) == [4, 3, 2, 1, 0]
    assert list(value(lambda a: letter.slice_(a, 3, -1, -2), (x, "i32"))) == [3, 1]
    table = np.arange(6).reshape(2, 3)
    assert value(lambda a: letter.slice_(a, 0, 3, 2, axis=-1), (table, "i32")).tolist() == [[0, 2], [3, 5]]


def test_two_states_can_be_swapped() -> None:
    draft = Draft("swap")
    a, b = draft.state("a", [1.0, 2.0]), draft.state("b", [3.0, 4.0])
    draft.set(a, b)
    draft.set(b, a)
    program = draft.finish()
    state, _, _ = NumpyRunning(program, {}).run(
        initial_state(program), np.zeros(1, layout_of(program).input.dtype)
    )
    assert list(np.frombuffer(state, np.float32)) == [3, 4, 1, 2]


def test_an_item_is_written_where_it_was_before() -> None:
    draft = Draft("ring")
    ring, head = draft.state("ring", np.zeros(3)), draft.state("head", 0, "i32", low=0, high=2)
    draft.set(head, letter.band(letter.add(head, 1), 3))
    draft.set(ring, draft.input("x"), at=head)
    program = draft.finish()
    rows = np.array([(7.0,), (8.0,)], layout_of(program).input.dtype)
    state, _, _ = NumpyRunning(program, {}).run(initial_state(program), rows)
    assert list(np.frombuffer(state, layout_of(program).state.dtype)["ring"][0]) == [7, 8, 0]


def test_clocks_fire_by_their_period_and_slower_ones_see_the_faster() -> None:
    draft = Draft("clocks")
    x = draft.input("x")
    last = draft.state("last", 0.0)
    draft.set(last, x)
    for clock in (Clock(3, 1), Clock(2, 5), Clock(1, 4)):
        draft.output(f"y{clock.period}", Node("state", (), (), "f32", clock=clock, name="last"))
    program = draft.finish()
    assert program.clocks == (Clock(1, 0), Clock(1, 4), Clock(2, 5), Clock(3, 1))
    rows = np.zeros(9, layout_of(program).input.dtype)
    rows["x"] = np.arange(9) + 1
    _, out, fired = NumpyRunning(program, {}).run(initial_state(program), rows)
    assert list(out["y3"]) == [0, 2, 0, 0, 5, 0, 0, 8, 0]
    assert list(out["y2"]) == [0, 0, 0, 0, 0, 6, 0, 8, 0]
    assert list(out["y1"]) == [0, 0, 0, 0, 5, 6, 7, 8, 9]
    assert list(fired) == [1, 9, 1, 1, 11, 7, 3, 15, 3]


def test_a_program_of_nothing_runs() -> None:
    program = Draft("nothing").finish()
    running = NumpyRunning(program, {})
    state, out, fired = running.run(b"", np.zeros(3, running.layouts.input.dtype))
    assert (state, len(out), list(fired)) == (b"", 3, [1, 1, 1])


def test_no_rows_change_nothing() -> None:
    program, values = random_program(3)
    running = NumpyRunning(program, values)
    start = initial_state(program)
    assert running.run(start, random_rows(program, 1, 0))[0] == start


@pytest.mark.parametrize("cut", [-1, 1])
def test_a_state_of_another_size_is_refused(cut: int) -> None:
    program, values = random_program(3)
    running = NumpyRunning(program, values)
    start = initial_state(program)
    wrong = start[:cut] if cut < 0 else start + b"x"
    with pytest.raises(BadInput, match="state bytes"):
        running.run(wrong, random_rows(program, 1, 2))


def test_rows_of_another_program_are_refused() -> None:
    program, values = random_program(3)
    with pytest.raises(BadInput):
        NumpyRunning(program, values).run(initial_state(program), np.zeros(2, np.float32))
