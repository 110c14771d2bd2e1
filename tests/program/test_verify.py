"""Planted faults are all refused, all at once, in words; sound programs pass with their cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.layout import layout_of
from bimetal.program.node import EVERY, Clock, Node
from bimetal.program.program import Draft, Input, Param, Program, SetTo, State
from bimetal.program.verify import check
from tests.agree.random_program import random_program

BIG = 2**31 - 1


def drafted(make: Callable[[Draft, Node, Node], Node | None]) -> Program:
    """A program of an f32 and an i32 input; what `make` gives is its output."""
    draft = Draft("planted")
    node = make(draft, draft.input("x"), draft.input("n", "i32"))
    draft.output("y", letter.const(1.0, "f32") if node is None else node)
    return draft.finish()


def outgrown(draft: Draft, x: Node, n: Node) -> None:
    """A counter without an end."""
    count = draft.state("count", 0, "i32", low=0, high=100)
    draft.set(count, letter.add(count, 1))


def outgrown_u8(draft: Draft, x: Node, n: Node) -> None:
    """A byte that is set to 256."""
    byte = draft.state("byte", 0, "u8")
    draft.set(byte, letter.cast(letter.add(letter.cast(byte, "i32"), 1), "u8"))


def outgrown_f32(draft: Draft, x: Node, n: Node) -> None:
    """A share that may pass 1."""
    share = draft.state("share", 0.0, low=0, high=1)
    draft.set(share, letter.add(share, word.clip(x, 0.0, 0.5)))


def bad_place(draft: Draft, x: Node, n: Node) -> None:
    """A ring written past its end."""
    ring = draft.state("ring", np.zeros(4))
    draft.set(ring, x, at=word.clip(n, 0, 4))


def int8_sum(draft: Draft, x: Node, n: Node) -> Node:
    """Products of i8 that are too many for i32."""
    weights = letter.cast(draft.param("w", np.zeros(200_000), "i8"), "i32")
    return letter.reduce(letter.mul(weights, weights))


def table_by_parameter(draft: Draft, x: Node, n: Node) -> Node:
    """An index that its present value allows and its declared range does not."""
    index = draft.param("child", 3, "i32", low=0, high=9)
    return letter.gather(letter.const([1.0, 2.0, 3.0, 4.0], "f32"), index)


def late_overflow(draft: Draft, x: Node, n: Node) -> Node:
    """A doubling that leaves i32 in its last turn."""
    return letter.scan(32, [letter.const(1, "i32")], lambda c, k: [letter.add(c[0], c[0])])[0]


def in_the_way(draft: Draft, x: Node, n: Node) -> Node:
    """A state with the name of a countdown."""
    draft.state("wait_3_1", 0.0)
    return word.sample(draft.state("s", 0.0), Clock(3, 1))


FOUR = letter.iota(4)
HERE = Node("state", (), (), "f32", clock=EVERY, name="s")


def constant(value: float) -> Node:
    """A constant that no letter would make."""
    return Node("const", (), (), "f32", attr=np.array(value, np.float32))


def named(op: str, name: str, shape: tuple[int, ...] = (), clock: Clock | None = EVERY) -> Node:
    """An input, a parameter or a state that nobody declared."""
    return Node(op, (), shape, "f32", clock=clock, name=name)


PLANTED: dict[str, tuple[Callable[[Draft, Node, Node], Node | None], str]] = {
    "sum": (lambda d, x, n: letter.add(n, 1), "do not fit i32"),
    "difference": (lambda d, x, n: letter.sub(word.clip(n, -BIG, 0), 2), "do not fit i32"),
    "product": (lambda d, x, n: letter.mul(n, n), "do not fit i32"),
    "negation of the lowest": (lambda d, x, n: letter.neg(n), "do not fit i32"),
    "mulshr": (lambda d, x, n: letter.mulshr(n, n, 8), "do not fit i32"),
    "reduce": (lambda d, x, n: letter.reduce(letter.stack([n, n])), "do not fit i32"),
    "i8 products": (int8_sum, "do not fit i32"),
    "in the last turn": (late_overflow, "do not fit i32"),
    "u8 leaf": (lambda d, x, n: letter.cast(word.clip(n, 0, 256), "u8"), "do not fit u8"),
    "i8": (lambda d, x, n: letter.cast(n, "i8"), "do not fit i8"),
    "float to whole": (lambda d, x, n: letter.cast(x, "i32"), "may be NaN"),
    "float to whole, clipped backwards": (
        lambda d, x, n: letter.cast(letter.minimum(letter.maximum(x, 0.0), 9.0), "i32"), "may be NaN"),
    "float to whole, half clipped": (
        lambda d, x, n: letter.cast(letter.maximum(letter.const(0.0, "f32"), x), "i32"), "0..inf"),
    "float to whole, at the edge": (
        lambda d, x, n: letter.cast(word.clip(x, 0.0, 2147483648.0), "i32"), "2.14748e\\+09"),
    "bits of NaN": (lambda d, x, n: letter.bits(x), "bits of a value that may be NaN"),
    "gather past the end": (lambda d, x, n: letter.gather(FOUR, letter.band(n, 4)), "leave 0..3"),
    "gather before the start": (lambda d, x, n: letter.gather(FOUR, word.clip(n, -1, 3)), "leave 0..3"),
    "gather by parameter": (table_by_parameter, "leave 0..3"),
    "gather by turn": (lambda d, x, n: letter.each(5, lambda k: letter.gather(FOUR, k)), "leave 0..3"),
    "counter": (outgrown, "outgrows its range 0..100"),
    "byte": (outgrown_u8, "do not fit u8"),
    "share": (outgrown_f32, "outgrows its range 0..1"),
    "place": (bad_place, "outside 0..3"),
    "first value": (lambda d, x, n: d.state("s", 5, "i32", low=0, high=4) and None, "starts outside"),
    "first value of f32": (lambda d, x, n: d.state("s", 5.0, low=0, high=4) and None, "starts outside"),
    "unknown state": (lambda d, x, n: named("state", "gone"), "not declared"),
    "input of another shape": (lambda d, x, n: named("input", "x", (9,)), "not declared"),
    "foreign parameter": (lambda d, x, n: Draft().param("p", 1.0), "not declared"),
    "state at no clock": (lambda d, x, n: named("state", d.state("s", 0.0).name, clock=None), "at no clock"),
    "slow input": (lambda d, x, n: named("input", "x", clock=Clock(2, 1)), "is computed at"),
    "wrong clock": (lambda d, x, n: replace(letter.neg(x), clock=Clock(2, 1)), "is computed at"),
    "no clock": (lambda d, x, n: replace(letter.neg(x), clock=None), "is computed at"),
    "meeting": (
        lambda d, x, n: Node("add", (x, word.sample(d.state("s", 0.0), Clock(2, 1))), (), "f32", clock=EVERY),
        "clocks meet"),
    "period 0": (lambda d, x, n: word.sample(d.state("s", 0.0), Clock(0, 0)), "never fires"),
    "first -1": (lambda d, x, n: word.sample(d.state("s", 0.0), Clock(2, -1)), "never fires"),
    "no letter": (lambda d, x, n: Node("pow", (x,), (), "f32", clock=EVERY), "not a letter"),
    "escaped turn": (lambda d, x, n: Node("iter", (), (), "i32", attr=3), "outside its loop"),
    "infinite constant": (
        lambda d, x, n: constant(np.inf), "not finite"),
    "NaN constant": (lambda d, x, n: constant(np.nan), "not finite"),
    "no elements": (lambda d, x, n: letter.iota(0), "1 to"),
    "too many elements": (lambda d, x, n: letter.iota(2**20 + 1), "1 to"),
    "name in the way": (in_the_way, "wait_3_1"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name: str) -> None:
    make, words = PLANTED[name]
    with pytest.raises(BadProgram, match=words):
        check(drafted(make))


def test_all_faults_are_named_at_once_and_where_they_matter() -> None:
    draft = Draft("several")
    x, n = draft.input("x"), draft.input("n", "i32")
    draft.output("first", letter.add(n, 1))
    outgrown(draft, x, n)
    draft.output("second", letter.cast(x, "i32"))
    with pytest.raises(BadProgram) as e:
        check(draft.finish())
    text = str(e.value)
    assert text.startswith("several: 3 faults: ")
    assert "output 'first'" in text
    assert "output 'second'" in text
    assert "state 'count'" in text


X = Node("input", (), (), "f32", clock=EVERY, name="x")
ONE = letter.const(1.0, "f32")
STATE = State("s", np.zeros(()), "f32", -1, 1, EVERY)
SOUND = Program(
    (Input("x", (), "f32"),), (Param("p", (), "f32", 0, 1),), (STATE,), (SetTo("s", ONE),), (("y", X),)
)

BROKEN: dict[str, tuple[Program, str]] = {
    "input twice": (replace(SOUND, inputs=SOUND.inputs * 2), "declared twice"),
    "parameter twice": (replace(SOUND, params=SOUND.params * 2), "declared twice"),
    "state twice": (replace(SOUND, states=SOUND.states * 2), "declared twice"),
    "output twice": (replace(SOUND, outputs=SOUND.outputs * 2), "declared twice"),
    "set twice": (replace(SOUND, sets=SOUND.sets * 2), "written twice"),
    "unknown state": (replace(SOUND, sets=(SetTo("t", ONE),)), "not declared"),
    "set to another type": (replace(SOUND, sets=(SetTo("s", letter.const(1, "i32")),)), "cannot hold"),
    "set to another shape": (replace(SOUND, sets=(SetTo("s", letter.const([1.0], "f32")),)), "cannot hold"),
    "set at a place": (replace(SOUND, sets=(SetTo("s", ONE, letter.const(0, "i32")),)), r"written at|hold"),
    "set at another clock": (
        replace(SOUND, sets=(SetTo("s", word.sample(HERE, Clock(2)),),)),
        "is written at"),
    "empty range": (replace(SOUND, params=(Param("p", (), "f32", 1, 0),)), "empty range"),
    "range of NaN": (replace(SOUND, params=(Param("p", (), "f32", float("nan"), 0),)), "empty range"),
    "name of an output": (replace(SOUND, outputs=(("a b", X),)), "not a name"),
    "name in another alphabet": (replace(SOUND, outputs=(("größe", X),)), "not a name"),
    "long name": (replace(SOUND, outputs=(("y" * 65, X),)), "not a name"),
    "unknown type": (replace(SOUND, inputs=(Input("x", (), "f64"),)), "unknown type"),
    "huge input": (replace(SOUND, inputs=(Input("x", (2**30,), "f32"),)), "must hold"),
}  # fmt: skip


def test_the_sound_one_passes() -> None:
    check(SOUND)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_declaration_is_found(name: str) -> None:
    program, words = BROKEN[name]
    with pytest.raises(BadProgram, match=words):
        check(program)


def test_too_many_clocks_are_refused() -> None:
    draft = Draft()
    s = draft.state("s", 0.0)
    for k in range(32):
        draft.output(f"y{k}", word.sample(s, Clock(k + 2, 0)))
    with pytest.raises(BadProgram, match="33 clocks"):
        check(draft.finish())


def test_too_much_work_for_one_reading_is_refused() -> None:
    draft = Draft()
    x = draft.input("x", shape=(1024,))
    body = lambda c, k: [letter.mul(c[0], 0.5)]  # noqa: E731
    draft.output("y", letter.scan(2**21, [x], body)[0])
    with pytest.raises(BadProgram, match="operations for one reading"):
        check(draft.finish())


def test_nested_loops_are_looked_through_in_bounded_time() -> None:
    def grow(depth: int, carries: tuple[Node, ...]) -> tuple[Node, ...]:
        def body(c: tuple[Node, ...], k: Node) -> list[Node]:
            inner = c if depth == 1 else grow(depth - 1, c)
            return [letter.add(inner[j - 1], inner[j]) for j in range(len(inner))]

        return letter.scan(1000, carries, body)

    draft = Draft()
    x = draft.input("x")
    draft.output("y", grow(8, (x, x, x, x))[0])
    with pytest.raises(BadProgram, match="operations for one reading"):
        check(draft.finish())


def test_a_report_has_sizes_and_cost() -> None:
    draft = Draft("cost")
    x = draft.input("x", shape=(3,))
    weights = draft.param("w", np.zeros((2, 3)))
    draft.output("y", word.matvec(weights, x))
    window = word.window(draft, x, 4, 4)
    draft.output("mean", word.mean(window, axis=0))
    program = draft.finish()
    report = check(program)
    layouts = layout_of(program)
    assert (report.state_bytes, report.parameter_bytes) == (layouts.state.size, 24)
    assert (report.input_bytes, report.output_bytes) == (12, 20)
    assert [s.clock for s in report.stages] == [EVERY, Clock(4, 3)]
    assert report.stages[1].operations == 12 + 3
    assert report.operations == sum(s.operations for s in report.stages)
    assert report.letters == len(list(program.nodes()))


def test_loops_are_multiplied_out() -> None:
    draft = Draft()
    x = draft.input("x")
    draft.output("y", letter.scan(10, [x], lambda c, k: [letter.mul(letter.add(c[0], 1.0), 2.0)])[0])
    draft.output("z", letter.each(5, lambda k: letter.mul(letter.cast(k, "f32"), x)))
    assert check(draft.finish()).operations == 10 * 2 + 5 * 2 + 5


@pytest.mark.parametrize("seed", range(100, 120))
def test_random_programs_pass(seed: int) -> None:
    report = check(random_program(seed)[0])
    assert report.operations > 0
