"""Laws that every registered operator keeps; a new one is found and tried by being registered."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.block import pack
from bimetal.program.canonical import decode, encode
from bimetal.program.layout import initial_state
from bimetal.program.operator import Example, knobs_of, operators, wire
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyRunning, NumpyTarget

ROWS = 60
FEWER_ROWS = 12
"""As many are enough where each is a long window, of which the law takes thousands of letters."""
LONG_WINDOW = 64
SETTLED = 40
"""After this many readings without a gap, the small operators of the examples have forgotten it."""

CASES = [
    pytest.param(example, id=f"{name}-{k}")
    for name, kind in operators().items()
    for k, example in enumerate(kind.examples())
]
every_case = pytest.mark.parametrize("example", CASES)


def ready(example: Example) -> NumpyRunning:
    """The program of an example's operator, on the law."""
    program, values = wire(example.operator, example.signals)
    return NumpyTarget().load(program, pack(program, values))


def rows_of(running: NumpyRunning, signals: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    """Signals as input rows."""
    rows = np.zeros(len(signals[0]), running.layouts.input.dtype)
    for k, s in enumerate(signals):
        rows[f"x{k}"] = s
    return rows


def rows_for(program: Program) -> int:
    """How many rows show what an operator does over time."""
    long = any(math.prod(place.shape) >= LONG_WINDOW for place in program.inputs)
    return FEWER_ROWS if long else ROWS


def random_rows(running: NumpyRunning, seed: int, count: int = 0, gaps: float = 0.0) -> NDArray[Any]:
    """Random rows like the program's inputs, with gaps and infinities if asked for."""
    rng = np.random.default_rng(seed)
    count = count or rows_for(running.program)
    rows = np.zeros(count, running.layouts.input.dtype)
    for place in running.program.inputs:
        shape = (count, *place.shape)
        if place.dtype != "f32":
            rows[place.name] = rng.integers(*((0, 2) if place.dtype == "b1" else (-120, 120)), shape)
            continue
        values = np.round(rng.normal(0, 3, shape)).astype(np.float32)
        values[rng.random(shape) < gaps] = np.nan
        rows[place.name] = values
    return rows


def firings(program: Program, outputs: NDArray[Any], fired: NDArray[np.uint32], name: str) -> NDArray[Any]:
    """The values of one output at the readings it was put out at."""
    node = dict(program.outputs)[name]
    bit = program.clocks.index(node.clock or program.clocks[0])
    return outputs[name][(fired >> bit) & 1 == 1]


def test_there_are_operators_to_try() -> None:
    assert len(CASES) >= 80


@every_case
def test_its_examples_hold(example: Example) -> None:
    running = ready(example)
    program = running.program
    _, outputs, fired = running.run(initial_state(program), rows_of(running, example.signals))
    assert len(example.gives) == len(program.outputs)
    for k, expected in enumerate(example.gives):
        given_ = firings(program, outputs, fired, f"y{k}")
        np.testing.assert_allclose(given_, np.asarray(expected), rtol=0, atol=example.within)


@every_case
def test_it_passes_the_verifier_and_says_what_it_is(example: Example) -> None:
    program, _ = wire(example.operator, example.signals)
    report = check(program)
    assert report.state_bytes == len(initial_state(program))
    assert report.operations > 0
    kind = type(example.operator)
    assert kind.__doc__
    assert kind.__doc__.split("\n")[0].endswith(".")
    assert isinstance(kind.references, tuple)


@every_case
def test_the_same_readings_give_the_same_bytes(example: Example) -> None:
    running, other = ready(example), ready(example)
    start = initial_state(running.program)
    rows = random_rows(running, 1)
    first = running.run(start, rows)
    running.run(first[0], random_rows(running, 2))
    for again in (running.run(start, rows), other.run(start, rows)):
        assert [first[0], first[1].tobytes(), list(first[2])] == [
            again[0],
            again[1].tobytes(),
            list(again[2]),
        ]
    assert len(first[0]) == len(start)


@every_case
def test_one_by_one_is_the_whole_run(example: Example) -> None:
    running = ready(example)
    rows = random_rows(running, 3, gaps=0.1)
    state = initial_state(running.program)
    after, outputs, fired = running.run(state, rows)
    for t in range(len(rows)):
        state, output, bits = running.run(state, rows[t : t + 1])
        assert output.tobytes() == outputs[t : t + 1].tobytes()
        assert bits[0] == fired[t]
    assert state == after


@every_case
@settings(max_examples=20)
@given(cut=st.integers(0, ROWS), seed=st.integers(0, 2**32 - 1))
def test_a_split_anywhere_is_the_whole_run(example: Example, cut: int, seed: int) -> None:
    running = ready(example)
    rows = random_rows(running, seed, gaps=0.05)
    start = initial_state(running.program)
    after, outputs, fired = running.run(start, rows)
    middle, left, bits = running.run(start, rows[:cut])
    end, right, rest = running.run(middle, rows[cut:])
    assert end == after
    assert left.tobytes() + right.tobytes() == outputs.tobytes()
    assert list(bits) + list(rest) == list(fired)


@every_case
def test_what_is_due_fires_and_no_more(example: Example) -> None:
    running = ready(example)
    program = running.program
    _, outputs, fired = running.run(initial_state(program), random_rows(running, 4))
    for t in range(len(fired)):
        due = [t >= c.first and (t - c.first) % c.period == 0 for c in program.clocks]
        assert [bool(fired[t] >> bit & 1) for bit in range(len(due))] == due
    for name, node in program.outputs:
        silent = (fired >> program.clocks.index(node.clock or program.clocks[0])) & 1 == 0
        assert not outputs[name][silent].tobytes().strip(b"\0")


@every_case
def test_a_gap_heals(example: Example) -> None:
    running = ready(example)
    program = running.program
    state, outputs, _ = running.run(initial_state(program), random_rows(running, 5, gaps=0.4))
    state, outputs, fired = running.run(state, random_rows(running, 6, count=2 * SETTLED))
    for k in range(len(program.outputs)):
        values = firings(program, outputs, fired, f"y{k}")
        assert not np.isnan(values[len(values) // 2 :].astype(float)).any()


@every_case
def test_many_devices_are_each_alone(example: Example) -> None:
    running = ready(example)
    rows = np.stack([random_rows(running, seed, gaps=0.1) for seed in range(5)])
    states = [
        running.run(initial_state(running.program), random_rows(running, 90 + k, count=k))[0]
        for k in range(5)
    ]
    together = np.stack([np.frombuffer(s, np.uint8) for s in states])
    after, outputs, fired = running.run_devices(together, rows)
    for k, state in enumerate(states):
        alone = running.run(state, rows[k])
        assert alone[0] == after[k].tobytes()
        assert alone[1].tobytes() == outputs[k].tobytes()
        assert list(alone[2]) == list(fired[k])


@every_case
def test_what_is_read_back_is_the_same_program(example: Example) -> None:
    running = ready(example)
    again = NumpyRunning(decode(encode(running.program)), wire(example.operator, example.signals)[1])
    rows = random_rows(running, 7, gaps=0.1)
    start = initial_state(running.program)
    one, other = running.run(start, rows), again.run(start, rows)
    assert one[0] == other[0]
    assert one[1].tobytes() == other[1].tobytes()


@every_case
def test_a_knob_out_of_range_is_refused(example: Example) -> None:
    operator: Any = example.operator
    for knob in knobs_of(type(operator)):
        for bad in (knob.low - 1 - abs(knob.low), knob.high * 2 + 1, float("nan"), "3"):
            with pytest.raises(BadProgram, match=knob.name):
                replace(operator, **{knob.name: bad})
