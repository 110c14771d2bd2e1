"""Letters are sorted into the bodies that must compute them."""

from __future__ import annotations

import pytest

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import EVERY, Node
from bimetal.program.scope import bound_by, every_scope, nexts_of, scope_of
from tests.agree.random_program import random_program

X = Node("input", (), (4,), "f32", clock=EVERY, name="x")


def test_a_body_holds_what_depends_on_its_turn_alone() -> None:
    outside = letter.mul(X, 2.0)
    loop = letter.each(3, lambda k: letter.add(letter.gather(outside, k), 1.0))
    whole = scope_of([loop])
    assert outside in whole.nodes
    body = whole.inner[loop]
    assert [n.op for n in body.nodes] == ["iter", "gather", "add"]
    assert nexts_of(loop) == (body.nodes[-1],)
    assert bound_by(loop) == (body.nodes[0],)


def test_loops_nest_only_where_one_needs_the_other() -> None:
    fixed = letter.each(3, lambda k: letter.cast(k, "f32"))
    outer = letter.each(
        2,
        lambda i: letter.reduce(letter.each(3, lambda k: letter.gather(X, letter.band(letter.add(i, k), 3)))),
    )
    both = letter.each(2, lambda i: letter.add(letter.reduce(fixed), letter.cast(i, "f32")))
    whole = scope_of([outer, both])
    assert set(whole.inner) == {fixed, outer, both}
    assert [s.op for s in whole.inner[outer].inner] == ["each"]
    assert not whole.inner[both].inner
    assert len(list(every_scope(whole))) == 5


def test_arguments_come_first_in_every_body() -> None:
    for seed in range(20):
        program, _ = random_program(seed)
        for scope in every_scope(scope_of(program.roots())):
            here = {n: k for k, n in enumerate(scope.nodes)}
            for node, k in here.items():
                assert all(here[a] < k for a in node.args if a in here)


def test_every_letter_is_in_one_body() -> None:
    for seed in range(20):
        program, _ = random_program(seed)
        found = [n for s in every_scope(scope_of(program.roots())) for n in s.nodes]
        assert len(found) == len(set(found)) == len(list(program.nodes()))


def test_a_turn_that_escapes_is_refused() -> None:
    kept: list[Node] = []

    def body(k: Node) -> Node:
        kept.append(letter.add(k, 1))
        return kept[0]

    loop = letter.each(3, body)
    with pytest.raises(BadProgram, match="outside"):
        scope_of([letter.add(loop, letter.reshape(kept[0], (1,)))])
    with pytest.raises(BadProgram, match="outside"):
        scope_of(kept)


def test_two_loops_cannot_share_a_turn() -> None:
    turn = Node("iter", (), (), "i32", attr=3)
    one, other = letter.close_each(3, turn, turn), letter.close_each(3, turn, letter.add(turn, 1))
    with pytest.raises(BadProgram, match="two loops"):
        scope_of([one, other])


def test_siblings_cannot_mix_their_turns() -> None:
    one, other = Node("iter", (), (), "i32", attr=3), Node("iter", (), (), "i32", attr=3)
    mixed = letter.add(one, other)
    with pytest.raises(BadProgram, match=r"nested|outside"):
        scope_of([letter.close_each(3, one, mixed), letter.close_each(3, other, mixed)])


def test_a_scan_cannot_start_from_its_own_turn() -> None:
    turn = Node("iter", (), (), "i32", attr=3)
    carry = Node("carry", (), (), "i32", attr=0)
    results = letter.close_scan(3, [carry], turn, [turn], [carry])
    with pytest.raises(BadProgram, match="own turns"):
        scope_of(results)


def nested(depth: int) -> Node:
    """Loops that each need all those around them."""

    def body(turns: tuple[Node, ...]) -> Node:
        if len(turns) == depth:
            total = turns[0]
            for k in turns[1:]:
                total = letter.add(total, k)
            return total
        return letter.each(1, lambda k: body((*turns, k)))

    return body(())


def test_nesting_is_limited() -> None:
    scope_of([nested(8)])
    with pytest.raises(BadProgram, match="deep"):
        scope_of([nested(9)])
