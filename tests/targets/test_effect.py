"""What statements touch is all found, and turns that could tell are told apart."""

from __future__ import annotations

from bimetal.targets.effect import apart_in_turns, effect_of, places_of
from bimetal.targets.loops import (
    Buf,
    Call,
    For,
    Let,
    Lin,
    Lit,
    Op,
    Read,
    Ref,
    Set,
    Stmt,
    Store,
    Var,
    variable,
)

X, Y = (Buf("scratch", name, "f32", 64) for name in "xy")
TURN, INNER = variable("i1"), variable("i2")


def loop(*body: Stmt) -> For:
    """A loop of eight turns."""
    return For("i1", 8, body)


def test_names_and_places_of_all_that_is_inside() -> None:
    total = Op("add", (Ref("s", "f32"), Read(X, TURN + variable("k"))), "f32")
    found = effect_of(loop(Var("t", Lit(0.0, "f32")), Set("s", total), Store(Y, TURN, Ref("t", "f32"))))
    assert found.reads == {"s", "t", "k"}
    assert found.writes == {"s", "t"}
    assert {(p.buf.name, p.writes) for p in found.places} == {("x", False), ("y", True)}


def test_a_kernel_touches_whole_buffers() -> None:
    places = list(places_of(Call("kernel", (X,), Y, 0)))
    assert [(p.buf, p.index, p.writes) for p in places] == [(X, None, False), (Y, None, True)]


def test_reading_twice_does_not_conflict_and_writing_does() -> None:
    read, again = effect_of(Let("a", Read(X, Lin(0)))), effect_of(Let("b", Read(X, Lin(1))))
    write = effect_of(Store(X, Lin(0), Lit(1.0, "f32")))
    assert not read.conflicts(again)
    assert read.conflicts(write)
    assert write.conflicts(read)
    assert write.conflicts(write)
    both = effect_of(loop(Store(X, TURN, Read(X, TURN))))
    assert both.conflicts(read)
    assert read.conflicts(both)


def test_a_name_conflicts_where_it_is_set() -> None:
    a, use = effect_of(Let("a", Lit(1.0, "f32"))), effect_of(Set("s", Ref("a", "f32")))
    assert a.conflicts(use)
    assert use.conflicts(a)
    assert not a.conflicts(effect_of(Let("b", Lit(1.0, "f32"))))


def test_elements_of_one_turn_may_be_shared_and_those_of_others_not() -> None:
    writes = loop(Store(X, TURN.times(2), Lit(1.0, "f32")), Store(X, TURN.times(2) + 1, Lit(1.0, "f32")))
    assert apart_in_turns(writes, loop(Let("a", Read(X, TURN.times(2) + 1))))
    assert not apart_in_turns(writes, loop(Let("a", Read(X, TURN.times(2) + 2))))
    assert not apart_in_turns(writes, loop(Let("a", Read(X, TURN))))
    assert not apart_in_turns(writes, loop(Let("a", Read(X, Lin(0)))))
    assert apart_in_turns(writes, loop(Let("a", Read(Y, Lin(0)))))


def test_a_place_that_is_computed_in_the_loop_could_be_any() -> None:
    writes = loop(Store(X, TURN, Lit(1.0, "f32")))
    chosen = loop(Let("k", Read(Y, TURN)), Let("a", Read(X, TURN + variable("k"))))
    assert not apart_in_turns(writes, chosen)
    assert not apart_in_turns(writes, loop(Call("kernel", (X,), Y, 0)))


def test_inner_loops_that_stay_within_a_turn_are_no_hindrance() -> None:
    def inner(step: int, count: int) -> For:
        return loop(For("i2", count, (Store(X, TURN.times(step) + INNER, Lit(1.0, "f32")),)))

    def read(step: int) -> For:
        return loop(For("i2", 4, (Let("a", Read(X, TURN.times(step) + INNER)),)))

    assert apart_in_turns(inner(4, 4), read(4))
    assert not apart_in_turns(inner(4, 5), read(4))
    assert not apart_in_turns(inner(4, 4), read(5))
