"""Elements: what is spelled where it is used, what gets a name, and proofs that indices stay inside."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import Broken
from bimetal.program import letter, word
from bimetal.program.interval import Interval
from bimetal.program.node import Node
from bimetal.program.program import Draft, Program
from bimetal.program.range import Ranges
from bimetal.program.verify import check
from bimetal.targets.element import HEAVY, Elements, start_of
from bimetal.targets.loops import (
    At,
    Buf,
    For,
    Let,
    Lin,
    Lit,
    Op,
    Read,
    Ref,
    Store,
    parts,
    statements,
    value_of,
)
from bimetal.targets.lower import lower
from bimetal.targets.table import Tables


def body_of(program: Program) -> list[object]:
    """All statements of a program of one clock."""
    (stage,) = lower(program, check(program).ranges).stages
    return list(statements(stage.body))


def elements_of(*roots: Node) -> Elements:
    """Elements with nothing computed yet."""
    return Elements(roots, Ranges(), Tables())


def test_what_is_used_once_is_spelled_there() -> None:
    draft = Draft("once")
    x = draft.input("x")
    draft.output("y", letter.mul(letter.add(x, 1.0), 2.0))
    assert [type(s) for s in body_of(draft.finish()) if not hasattr(s, "text")] == [Store]


def test_what_is_used_twice_is_computed_once() -> None:
    draft = Draft("twice")
    x = draft.input("x")
    root = letter.sqrt(x)
    draft.output("y", letter.mul(root, letter.add(root, 1.0)))
    roots = [p for s in body_of(draft.finish()) for p in parts_of(s) if isinstance(p, Op) and p.op == "sqrt"]
    assert len(roots) == 1


def parts_of(statement: object) -> list[object]:
    """All expressions of a statement."""
    value = value_of(statement) if not hasattr(statement, "text") else None  # type: ignore[arg-type]
    return list(parts(value)) if value is not None else []


def test_what_a_loop_does_not_change_is_computed_outside() -> None:
    draft = Draft("outside")
    x, v = draft.input("x"), draft.input("v", shape=(8,))
    draft.output("y", letter.mul(v, letter.sqrt(x)))
    (loop,) = [s for s in body_of(draft.finish()) if isinstance(s, For)]
    assert not any(isinstance(p, Op) and p.op == "sqrt" for s in loop.body for p in parts_of(s))


def test_a_long_expression_gets_names_on_the_way() -> None:
    draft = Draft("long")
    x = draft.input("x")
    value = x
    for k in range(4 * HEAVY):
        value = letter.add(value, float(k + 1))
    draft.output("y", value)
    body = body_of(draft.finish())
    assert any(isinstance(s, Let) for s in body)
    assert max(len(parts_of(s)) for s in body) <= 4 * HEAVY


def test_a_ring_of_one_item_needs_no_index() -> None:
    """Its head can only be 0, so no name is left that nobody uses."""
    draft = Draft("ring")
    x = draft.input("x")
    draft.output("y", word.total(word.recent(draft, x, 2)))
    body = body_of(draft.finish())
    used = {p.name for s in body for p in parts_of(s) if isinstance(p, Ref)}
    used |= {n for s in body for p in parts_of(s) if isinstance(p, Read | At) for n, _ in p.index.terms}
    used |= {n for s in body if isinstance(s, Store) for n, _ in s.index.terms}
    assert {s.name for s in body if isinstance(s, Let)} <= used
    assert all(s.index == Lin() for s in body if isinstance(s, Store) and s.buf.size == 1)


def test_an_index_that_may_leave_is_never_emitted() -> None:
    elements = elements_of()
    buf = Buf("state", "x", "f32", 4)
    at = elements.blocks.open(4)
    elements.check(buf, at)
    with pytest.raises(Broken, match=r"1\.\.4 leaves x of 4"):
        elements.check(buf, at + 1)
    with pytest.raises(Broken, match=r"-1\.\.2 leaves"):
        elements.check(buf, at + -1)
    with pytest.raises(Broken, match=r"0\.\.6 leaves"):
        elements.check(buf, at.times(2))


def test_a_constant_of_equal_values_needs_no_table() -> None:
    node = letter.const(np.full(9, 2.5), "f32")
    elements = elements_of(node)
    at = elements.blocks.open(9)
    value = elements.value(node, (at,))
    assert isinstance(value.expr, Lit)
    assert not elements.tables.found


@pytest.mark.parametrize(("first", "second"), [(0.0, -0.0), (-0.0, 0.0)])
def test_zeros_of_two_signs_are_not_equal_values(first: float, second: float) -> None:
    node = letter.const([first, second], "f32")
    elements = elements_of(node)
    elements.value(node, (elements.blocks.open(2),))
    assert len(elements.tables.found) == 1


@pytest.mark.parametrize("how", ["add", "min", "max"])
@pytest.mark.parametrize("dtype", ["f32", "i32"])
def test_a_fold_starts_from_what_changes_nothing(how: str, dtype: str) -> None:
    start, starts = start_of(how, dtype, Interval(-1.0, 1.0))
    assert starts
    kind = np.float32 if dtype == "f32" else np.int64
    values = [0.0, -0.0, 1e-45, -3e38] if dtype == "f32" else [0, -(2**31), 2**31 - 1]
    for value in map(kind, values):
        held = kind(start)
        folded = {
            "add": held + value,
            "min": value if value < held else held,
            "max": value if held < value else held,
        }[how]
        assert (folded == value) & (np.signbit(folded) == np.signbit(value))


def test_a_first_element_that_may_be_nan_starts_a_fold_itself() -> None:
    assert start_of("min", "f32", Interval(-1.0, 1.0, True))[1] is False
