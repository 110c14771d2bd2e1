"""Prune: what nobody needs is gone, what somebody needs is not."""

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
    variable,
)
from bimetal.targets.prune import prune, tables_read

OUT, SCRATCH = Buf("out", "y", "f32", 4), Buf("scratch", "kept", "f32", 4)
TABLE = Buf("table", "table1", "u8", 9)
ONE = Lit(1.0, "f32")
TURN = variable("i1")


def test_what_reaches_no_result_is_left_out() -> None:
    wanted = Store(OUT, Lin(), Ref("a_1", "f32"))
    body = (Let("a_1", ONE), Let("b_1", Ref("a_1", "f32")), Var("c_1", ONE), Set("c_1", ONE), wanted)
    assert prune(body) == (body[0], wanted)


def test_a_chain_is_followed_back() -> None:
    body = (
        Let("a_1", ONE),
        For("i1", 4, (Store(SCRATCH, TURN, Ref("a_1", "f32")),)),
        Let("b_1", Op("neg", (Read(SCRATCH, Lin(2)),), "f32")),
        Store(OUT, Lin(), Ref("b_1", "f32")),
    )
    kept = prune(body)
    assert [type(s) for s in kept] == [Let, For, Let, Store]


def test_an_index_is_needed_too() -> None:
    body = (
        Let("k_1", Lit(2, "i32")),
        Let("j_1", At(variable("k_1"))),
        Store(OUT, variable("k_1"), Read(OUT, variable("j_1"))),
    )
    assert prune(body) == body


def test_a_loop_goes_with_all_that_is_in_it() -> None:
    body = (
        Note("nothing"),
        For("i1", 4, (Note("inside"), Store(SCRATCH, TURN, ONE))),
        Store(OUT, Lin(), ONE),
    )
    assert prune(body) == (body[0], body[2])


def test_what_a_loop_changes_for_later_turns_is_kept() -> None:
    total = Ref("total_1", "f32")
    turn = For("i1", 4, (Set("total_1", Op("add", (total, Ref("step_1", "f32")), "f32")),))
    body = (Let("step_1", ONE), Var("total_1", ONE), turn, Store(OUT, Lin(), total))
    (*first, loop, last) = prune(body)
    assert first == [body[0], body[1]]
    assert isinstance(loop, For)
    assert loop.body == turn.body
    assert last is body[3]


def test_what_is_asked_for_goes_with_who_asks() -> None:
    asks = Let("asked_1", Op("lt", (ONE, ONE), "b1"))
    wanted = If(Ref("asked_1", "b1"), (Let("a_1", ONE), Store(OUT, Lin(), ONE)))
    asks_kept, kept = prune((asks, wanted))
    assert asks_kept is asks
    assert isinstance(kept, If)
    assert kept.body == wanted.body[1:]
    assert prune((asks, If(Ref("asked_1", "b1"), (Store(SCRATCH, Lin(), ONE),)))) == ()


def test_notes_stand_before_something() -> None:
    store = Store(OUT, Lin(), ONE)
    body = (Note("gone"), Let("a_1", ONE), Note("kept"), store, Note("after"))
    assert prune(body) == (body[2], store)


def test_the_tables_that_are_read() -> None:
    inside = For("i1", 9, (Let("a_1", Op("cast", (Read(TABLE, TURN),), "i32")),))
    assert tables_read((inside,)) == {"table1"}
    assert tables_read((Store(OUT, Lin(), Read(SCRATCH, Lin())),)) == set()
