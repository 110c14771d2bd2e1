"""Other names reach every place a name can stand, and leave all else alone."""

from __future__ import annotations

from bimetal.targets.loops import (
    At,
    Buf,
    For,
    If,
    Let,
    Lin,
    Lit,
    Note,
    Op,
    Read,
    Ref,
    Set,
    Store,
    Var,
    statements,
    variable,
)
from bimetal.targets.rename import renamed

X = Buf("scratch", "x", "f32", 64)


def test_every_place_takes_the_other_name() -> None:
    at = variable("i1").times(2) + variable("k")
    body = (
        Note("i1 stays in words"),
        Let("v", Op("add", (Read(X, at), Ref("w", "f32")), "f32")),
        Var("n", At(at)),
        Set("n", Op("add", (Ref("n", "i32"), Lit(1, "i32")), "i32")),
        For("i1", 3, (Store(X, at, Ref("v", "f32")),)),
    )
    new = renamed(body, {"i1": "i2", "v": "value", "w": "weight", "n": "count", "k": "item"})
    there = variable("i2").times(2) + variable("item")
    note, let, var, change, loop = new
    assert note is body[0]
    assert isinstance(let, Let)
    assert let.name == "value"
    assert isinstance(let.value, Op)
    read, weight = let.value.args
    assert isinstance(read, Read)
    assert read.index == there
    assert isinstance(weight, Ref)
    assert weight.name == "weight"
    assert isinstance(var, Var)
    assert isinstance(var.value, At)
    assert (var.name, var.value.index) == ("count", there)
    assert isinstance(change, Set)
    assert change.name == "count"
    assert isinstance(loop, For)
    assert loop.variable == "i2"
    (store,) = (s for s in statements(new) if isinstance(s, Store))
    assert store.index == there


def test_who_asks_is_renamed_with_what_is_asked_for() -> None:
    (new,) = renamed((If(Ref("on", "b1"), (Set("n", Ref("on", "i32")),)),), {"on": "asked", "n": "count"})
    assert isinstance(new, If)
    assert isinstance(new.condition, Ref)
    assert new.condition.name == "asked"
    (change,) = new.body
    assert isinstance(change, Set)
    assert change.name == "count"


def test_two_names_that_become_one_are_added_up() -> None:
    (store,) = renamed((Store(X, Lin(1, (("a", 2), ("b", 3))), Lit(0.0, "f32")),), {"a": "b"})
    assert isinstance(store, Store)
    assert store.index == Lin(1, (("b", 5),))


def test_no_names_change_nothing() -> None:
    body = (Let("v", Lit(1.0, "f32")),)
    assert renamed(body, {})[0] is body[0]
