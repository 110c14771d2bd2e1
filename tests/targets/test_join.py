"""Loops become one where no turn can tell, and stay two wherever one could."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.targets import lower as lowering
from bimetal.targets.join import LARGEST, joined
from bimetal.targets.loops import (
    Buf,
    Expr,
    For,
    Let,
    Lin,
    Lit,
    Note,
    Op,
    Read,
    Ref,
    Set,
    Stmt,
    Store,
    Var,
    variable,
)
from bimetal.targets.loops import statements as every
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget
from tests.targets.given import body_of, many_programs

X, Y, Z = (Buf("scratch", name, "f32", 64) for name in "xyz")
TURN = variable("i1")


def loop(*body: Stmt, count: int = 8, variable: str = "i1") -> For:
    """A loop."""
    return For(variable, count, body)


def plus(a: Expr, b: Expr) -> Op:
    """The sum of two numbers."""
    return Op("add", (a, b), "f32")


def summed(name: str, of: Buf, at: Lin = TURN) -> tuple[Var, For]:
    """A sum over a buffer, and its first value."""
    item = f"item_{name}"
    body = (Let(item, Read(of, at)), Set(name, plus(Ref(name, "f32"), Ref(item, "f32"))))
    return Var(name, Lit(0.0, "f32")), loop(*body)


def filled(buf: Buf, source: Buf, at: Lin = TURN, name: str = "v") -> For:
    """A loop that copies elements, by a name."""
    return loop(Let(name, Read(source, at)), Store(buf, at, Ref(name, "f32")))


def loops_of(body: Iterable[Stmt]) -> list[For]:
    """The outermost loops."""
    return [s for s in body if isinstance(s, For)]


def test_two_sums_of_one_buffer_share_a_loop_and_each_element_is_read_once() -> None:
    (one,) = loops_of(found := joined([*summed("s", X), *summed("t", X)]))
    assert [type(s) for s in found] == [Var, Var, For]
    assert sum(isinstance(s, Let) for s in one.body) == 1
    assert sum(isinstance(s, Set) for s in one.body) == 2


def test_what_is_written_and_summed_is_not_read_back() -> None:
    (one,) = loops_of(joined([filled(X, Y), *summed("s", X)]))
    reads = [s.value.buf for s in one.body if isinstance(s, Let) and isinstance(s.value, Read)]
    assert reads == [Y]


def test_a_loop_that_needs_what_another_has_summed_up_stays() -> None:
    first = summed("s", X)
    second = loop(Let("w", plus(Read(X, TURN), Ref("s", "f32"))), Store(Y, TURN, Ref("w", "f32")))
    assert len(loops_of(joined([*first, second]))) == 2
    mean = Let("mean", Ref("s", "f32"))
    third = loop(Let("w", plus(Read(X, TURN), Ref("mean", "f32"))), Store(Y, TURN, Ref("w", "f32")))
    assert len(loops_of(joined([*first, mean, third]))) == 2


def test_what_another_turn_has_written_keeps_loops_apart() -> None:
    turned = loop(Let("w", Read(X, TURN.times(-1) + 7)), Store(Z, TURN, plus(Ref("w", "f32"), Read(Y, TURN))))
    assert len(loops_of(joined([filled(X, Y), turned]))) == 2
    first = loop(Let("w", Read(X, Lin(0))), Store(Z, TURN, plus(Ref("w", "f32"), Read(Y, TURN))))
    assert len(loops_of(joined([filled(X, Y), first]))) == 2
    later = loop(Let("w", Read(Y, TURN)), Store(X, TURN + 1, Ref("w", "f32")))
    assert len(loops_of(joined([*summed("s", X), later]))) == 2


def test_what_lies_between_makes_room_or_keeps_them_apart() -> None:
    free = [Note("one"), Let("c", Lit(2.0, "f32")), Note("two")]
    found = joined([*summed("s", X), *free, *summed("t", X)])
    assert len(loops_of(found)) == 1
    assert [type(s) for s in found] == [Var, Note, Var, For, Note, Let]
    reading = [Let("first", Read(X, Lin(0))), Var("t", Ref("first", "f32"))]
    _, second = summed("t", X)
    assert len(loops_of(joined([filled(X, Y), *reading, second]))) == 2


def test_loops_of_other_lengths_or_with_nothing_in_common_stay() -> None:
    start, short = summed("t", X)
    assert len(loops_of(joined([*summed("s", X), start, loop(*short.body, count=7)]))) == 2
    assert len(loops_of(joined([*summed("s", X), *summed("t", Y)]))) == 2


def test_a_loop_does_not_grow_beyond_its_bound() -> None:
    many = [s for k in range(LARGEST) for s in summed(f"s{k}", X)]
    lengths = [len(x.body) for x in loops_of(joined(many))]
    assert len(lengths) == 2
    assert max(lengths) <= LARGEST


def test_inmost_loops_are_joined_and_those_around_loops_stay() -> None:
    at = variable("i1").times(4) + variable("i2")
    one = loop(Let("a", Read(X, at)), Store(Y, at, Ref("a", "f32")), count=4, variable="i2")
    total = Set("t", plus(Ref("t", "f32"), Read(Y, at)))
    two = loop(total, count=4, variable="i2")
    (outer,) = loops_of(joined([loop(one, Var("t", Lit(0.0, "f32")), two, Store(Z, TURN, Ref("t", "f32")))]))
    assert len(loops_of(outer.body)) == 1
    assert len(loops_of(joined([loop(one), loop(Var("t", Lit(0.0, "f32")), two)]))) == 2


def test_a_value_that_changes_is_not_taken_for_what_was_stored() -> None:
    """A running sum is stored, goes on, and the stored one is read: that must stay a read."""
    start = Var("s", Lit(0.0, "f32"))
    running = loop(
        Let("a", Read(X, TURN)),
        Store(Y, TURN, Ref("s", "f32")),
        Set("s", plus(Ref("s", "f32"), Ref("a", "f32"))),
    )
    (one,) = loops_of(joined([start, running, *summed("t", Y)]))
    assert Y in [s.value.buf for s in one.body if isinstance(s, Let) and isinstance(s.value, Read)]


def statistics(x: Node) -> list[Node]:
    """Sums and a scan over one window."""
    start = letter.const(0.0, "f32")
    (most,) = letter.scan(x.size, [start], lambda h, k: [letter.maximum(h[0], letter.gather(x, k))])
    return [letter.reduce(x), letter.reduce(letter.mul(x, x)), most]


def test_statistics_of_one_window_take_one_loop() -> None:
    draft = Draft("statistics")
    for k, node in enumerate(statistics(draft.input("x", shape=(32,)))):
        draft.output(f"y{k}", node)
    program = draft.finish()
    assert sum(isinstance(s, For) for s in body_of(program)) == 1
    rows = np.zeros(3, [("x", "f4", 32)])
    rows["x"] = np.random.default_rng(0).normal(size=(3, 32))
    block, start = pack(program, {}), initial_state(program)
    found, right = (t.load(program, block).run(start, rows)[1] for t in (WasmTarget(), NumpyTarget()))
    assert found.tobytes() == right.tobytes()


def test_it_happens_to_programs_nobody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        stages = [s for p in many_programs() for s in lowering.lower(p, check(p).ranges).stages]
        return sum(isinstance(s, For) for stage in stages for s in every(stage.body))

    joined_loops = count()
    monkeypatch.setattr(lowering, "joined", tuple)
    assert joined_loops < 0.97 * count()
