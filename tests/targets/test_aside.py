"""Aside: what only a `when` needs is computed where it is asked for, and everything else always."""

from __future__ import annotations

from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.scope import Scope, scope_of
from bimetal.targets.aside import is_when, set_aside
from bimetal.targets.loops import For, If, Stmt, Store, statements
from tests.targets.given import body_of


def sides(*roots: Node) -> tuple[Scope, dict[Node, list[Node]]]:
    """What stays, and what is set aside, by who asks for it."""
    scope = set_aside(scope_of(roots), roots)
    return scope, {when: inner.nodes for when, inner in scope.inner.items() if is_when(when)}


def given() -> tuple[Draft, Node, Node]:
    """A draft, five values and a truth."""
    draft = Draft("aside")
    return draft, draft.input("x", shape=(5,)), draft.input("on", "b1")


def test_what_a_when_alone_needs_is_set_aside() -> None:
    _, x, on = given()
    squares = letter.mul(x, x)
    asked = letter.when(on, letter.reduce(squares))
    scope, found = sides(asked)
    assert found == {asked: [squares, asked.args[1], asked]}
    assert {x, on, asked} <= set(scope.nodes)
    assert squares not in scope.nodes


def test_what_somebody_else_needs_too_stays() -> None:
    _, x, on = given()
    squares = letter.mul(x, x)
    asked = letter.when(on, letter.reduce(squares))
    other = letter.when(letter.invert(on), letter.reduce(squares, "max"))
    scope, found = sides(asked, other)
    assert [len(nodes) for nodes in found.values()] == [2, 2]
    assert squares in scope.nodes
    assert not sides(asked, asked.args[1])[1]


def test_who_asks_does_not_wait_for_itself() -> None:
    _, x, _ = given()
    least = letter.reduce(x, "min")
    asked = letter.when(letter.lt(least, 0.0), letter.add(least, 1.0))
    scope, found = sides(asked)
    assert found == {asked: [asked.args[1], asked]}
    assert least in scope.nodes


def test_one_that_is_asked_for_in_another_is_in_its_body() -> None:
    _, x, on = given()
    first = letter.when(letter.invert(on), letter.reduce(letter.mul(x, x)))
    second = letter.when(on, letter.sqrt(first))
    _, found = sides(second)
    assert list(found) == [second]
    assert {first, first.args[1], first.args[1].args[0]} <= set(found[second])


def test_a_loop_takes_its_body_along() -> None:
    _, x, on = given()
    loop = letter.each(5, lambda k: letter.mul(letter.gather(x, k), 3.0))
    asked = letter.when(on, letter.reduce(loop))
    scope, _ = sides(asked)
    assert list(scope.inner) == [asked]
    assert list(scope.inner[asked].inner) == [loop]


def test_zeros_are_written_first_and_the_rest_where_it_is_asked_for() -> None:
    draft, x, on = given()
    draft.output("y", letter.when(on, letter.mul(x, letter.reduce(x))))
    body = body_of(draft.finish())
    (asked,) = (s for s in body if isinstance(s, If))

    def stores(some: list[Stmt]) -> int:
        return sum(isinstance(s, Store) for s in some)

    inside = list(statements(asked.body))
    assert stores(inside) == 1
    assert sum(isinstance(s, For) for s in inside) == 2
    assert stores(body) == 3
