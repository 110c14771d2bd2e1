"""Programs are written and read again; strangers' bytes are refused in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns.errors import BadInput, Error
from bimetal.program import letter
from bimetal.program.canonical import LARGEST, decode, encode
from bimetal.program.digest import digest
from bimetal.program.layout import initial_state
from bimetal.program.node import Clock, Node
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyRunning
from tests.agree.random_program import random_program, random_rows


def small() -> Program:
    """One program with most of what bytes can hold."""
    draft = Draft("small")
    x = draft.input("x", unit="bar")
    ring = draft.state("ring", np.zeros(4))
    draft.set(ring, letter.mul(x, draft.param("gain", 2.0, low=0, high=5)), at=letter.const(1, "i32"))
    slow = Node("state", (), (4,), "f32", clock=Clock(3, 2), name="ring")
    (last, _) = letter.scan(3, [letter.const(0.0, "f32"), letter.const(1, "i32")],
                            lambda c, k: [letter.add(c[0], letter.gather(slow, k)), c[1]])  # fmt: skip
    draft.output("sum", last)
    draft.output("squares", letter.each(4, lambda k: letter.mul(letter.gather(slow, k), 2.0)))
    draft.output("back", letter.slice_(slow, 3, -1, -1))
    return draft.finish()


@pytest.mark.parametrize("seed", range(30))
def test_what_is_read_is_what_was_written(seed: int) -> None:
    program, values = random_program(seed)
    data = encode(program)
    again = decode(data)
    check(again)
    assert encode(again) == data
    assert digest(again) == digest(program)
    assert initial_state(again) == initial_state(program)
    assert (again.inputs, again.params, again.clocks) == (program.inputs, program.params, program.clocks)
    rows = random_rows(program, seed, 6, nasty=True)
    one, other = (NumpyRunning(p, values).run(initial_state(p), rows) for p in (program, again))
    assert (one[0], one[1].tobytes()) == (other[0], other[1].tobytes())


def test_a_small_program_survives() -> None:
    program = small()
    check(program)
    assert encode(decode(encode(program))) == encode(program)


def test_what_is_computed_only_when_asked_for_stays_so() -> None:
    draft = Draft("asked")
    x = draft.input("x", shape=(4,))
    asks = letter.lt(letter.reduce(x), 1.0)
    draft.output("y", letter.when(asks, letter.sqrt(x)))
    ((_, node),) = decode(encode(draft.finish())).outputs
    assert (node.op, node.attr) == ("where", True)
    draft.output("z", replace(letter.where(asks, x, 2.0), attr=True))
    with pytest.raises(BadInput, match="not well formed"):
        decode(encode(draft.finish()))


def test_a_deep_program_is_no_trouble() -> None:
    draft = Draft("deep")
    node = draft.input("x")
    for _ in range(20_000):
        node = letter.neg(node)
    draft.output("y", node)
    program = draft.finish()
    assert digest(decode(encode(program))) == digest(program)


def plain() -> list[Any]:
    """The plain form of the small program."""
    return cbor2.loads(encode(small()))


FORMAT, TITLE, INPUTS, PARAMS, STATES, NODES, SETS, OUTPUTS = range(8)


def node(op: str) -> Callable[[list[Any]], list[Any]]:
    """Find a letter in a plain form."""
    return lambda p: next(n for n in p[NODES] if n[0] == op)


def put(where: Callable[[list[Any]], Any], at: int, value: Any) -> Callable[[list[Any]], None]:
    """Change one item of a plain form."""
    return lambda p: where(p).__setitem__(at, value)


CHANGES: dict[str, Callable[[list[Any]], object]] = {
    "another format": put(lambda p: p, FORMAT, 2),
    "title is a number": put(lambda p: p, TITLE, 5),
    "no nodes": put(lambda p: p, NODES, []),
    "one item more": lambda p: p.append(1),
    "one item less": lambda p: p.pop(),
    "unknown letter": put(node("mul"), 0, "pow"),
    "letter is a number": put(node("mul"), 0, 3),
    "argument after itself": put(node("mul"), 3, [0, 10**6]),
    "negative argument": put(node("mul"), 3, [-1, 0]),
    "too few arguments": put(node("mul"), 3, [0]),
    "too many arguments": put(node("mul"), 3, [0, 0, 0]),
    "an argument that is no number": put(node("mul"), 3, [0, "0"]),
    "another type": put(node("mul"), 1, "i32"),
    "unknown type": put(node("mul"), 1, "f64"),
    "another shape": put(node("mul"), 2, [4]),
    "huge shape": put(node("mul"), 2, [2**40]),
    "negative shape": put(node("mul"), 2, [-1]),
    "many axes": put(node("mul"), 2, [1] * 40),
    "constant of another length": put(node("const"), 4, b"123"),
    "constant without bytes": put(node("const"), 4, None),
    "constant NaN": lambda p: next(n for n in p[NODES] if n[0] == "const" and n[1] == "f32").__setitem__(
        4, b"\x00\x00\xc0\x7f"
    ),
    "unknown input": put(node("input"), 4, "y"),
    "unknown state": put(node("state"), 4, ["y", 1, 0]),
    "state at no clock": put(node("state"), 4, ["ring", 0, 0]),
    "state at a negative clock": put(node("state"), 4, ["ring", 1, -1]),
    "an input with arguments": put(node("input"), 3, [0]),
    "slice outside": put(node("slice"), 4, [7, -1, 0]),
    "slice of no axis": put(node("slice"), 4, [3, -1, 3]),
    "slice by nothing": put(node("slice"), 4, [3, 0, 0]),
    "more turns than its iter": lambda p: node("scan")(p)[4].__setitem__(0, 99),
    "a carry that is none": lambda p: node("scan")(p)[4].__setitem__(1, [0, 0]),
    "no carries": lambda p: node("scan")(p)[4].__setitem__(1, []),
    "an iter that is none": lambda p: node("each")(p)[4].__setitem__(1, 0),
    "a turn before the first": put(node("iter"), 4, 0),
    "a result that is not there": put(node("result"), 4, 5),
    "a result of something else": put(node("result"), 3, [0]),
    "attribute where none is": put(node("mul"), 4, 1),
    "an input twice": lambda p: p[INPUTS].append(p[INPUTS][0]),
    "a state of no size": put(lambda p: p[STATES][0], 1, [0]),
    "a state with too little": put(lambda p: p[STATES][0], 6, b""),
    "a state at no clock of its own": put(lambda p: p[STATES][0], 5, [0, 0]),
    "a range in words": put(lambda p: p[PARAMS][0], 4, "low"),
    "a set of nothing": put(lambda p: p[SETS][0], 1, 10**9),
    "an output of nothing": put(lambda p: p[OUTPUTS][0], 1, -1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_planted_fault_is_refused_in_words(change: Callable[[list[Any]], object]) -> None:
    form = plain()
    change(form)
    with pytest.raises(Error) as e:
        check(decode(cbor2.dumps(form)))
    assert len(str(e.value)) > 15


def test_every_cut_is_refused() -> None:
    data = encode(small())
    for n in range(len(data)):
        with pytest.raises(BadInput):
            decode(data[:n])
    with pytest.raises(BadInput, match="follow"):
        decode(data + b"\0")


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(BadInput):
        decode(noise)


@given(at=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_another_sound_program(at: int, byte: int) -> None:
    data = bytearray(encode(small()))
    data[at % len(data)] = byte
    try:
        program = decode(bytes(data))
        check(program)
    except Error:
        return
    assert initial_state(program) is not None


def test_too_many_bytes_are_not_looked_at() -> None:
    with pytest.raises(BadInput, match="more than"):
        decode(bytes(LARGEST + 1))
