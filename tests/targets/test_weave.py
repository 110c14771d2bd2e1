"""Weaving: statements come in an order that can run, and NaN is made canonical where others can see it."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import Broken
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.range import Ranges
from bimetal.targets.block import Value
from bimetal.targets.element import Elements
from bimetal.targets.loops import Buf, For, Lin, Lit, Op, Set, Store, Var
from bimetal.targets.table import Tables
from bimetal.targets.unit import Dest, Unit
from bimetal.targets.wasm_run import WasmTarget
from bimetal.targets.weave import Weaver, described
from tests.targets.given import body_of, one_output, parts_of


def canonical(make: object, dtype: str = "f32") -> bool:
    """Whether the result of a program is made canonical when it is stored."""
    (store,) = [s for s in body_of(one_output(make, (), dtype=dtype)) if isinstance(s, Store)]
    return isinstance(store.value, Op) and store.value.op == "canon"


def test_nan_is_canonical_where_it_may_be() -> None:
    assert canonical(lambda a: letter.sqrt(a))
    assert canonical(lambda a: letter.maximum(a, 0.0))


def test_where_no_nan_can_be_nothing_is_spent() -> None:
    assert not canonical(lambda a: word.clip(a, -1.0, 1.0))
    assert not canonical(lambda a: word.otherwise(a, 0.0))
    assert not canonical(lambda a: letter.band(a, 7), dtype="i32")


def test_scratch_memory_keeps_nan_as_it_is() -> None:
    def twice(a: Node) -> Node:
        root = letter.sqrt(a)
        return letter.add(root, letter.slice_(root, 8, -1, -1))

    stores = [s for s in body_of(one_output(twice, (9,))) if isinstance(s, Store)]
    kept = [s for s in stores if s.buf.space == "scratch"]
    assert kept
    assert not any(isinstance(p, Op) and p.op == "canon" for s in kept for p in parts_of(s))


def test_a_scan_is_a_loop_around_what_it_carries() -> None:
    def made(a: Node) -> Node:
        return letter.scan(5, [a], lambda held, k: [letter.mul(held[0], letter.cast(k, "f32"))])[0]

    body = body_of(one_output(made, ()))
    (loop,) = [s for s in body if isinstance(s, For)]
    (start,) = [s for s in body if isinstance(s, Var)]
    changes = [s for s in loop.body if isinstance(s, Set)]
    assert loop.count == 5
    assert [s.name for s in changes] == [start.name]


def test_carried_values_change_together() -> None:
    """Each next value is computed from the values before, whatever the order they are written in."""
    draft = Draft("fibonacci")
    one = draft.input("one")
    a, b = letter.scan(10, [one, one], lambda held, k: [held[1], letter.add(held[0], held[1])])
    draft.output("a", a)
    draft.output("b", b)

    program = draft.finish()
    rows = np.ones(1, layout_of(program).input.dtype)
    _, found, _ = WasmTarget().load(program, pack(program, {})).run(initial_state(program), rows)
    assert (found["a"][0], found["b"][0]) == (89.0, 144.0)


def test_a_unit_is_told_in_words() -> None:
    node = letter.const([1.0, 2.0], "f32")
    unit = Unit(0, "loop", (2,), [node], {node: [Dest(Buf("out", "y", "f32", 2))]})
    assert described(unit) == "const[2] to out y"


def test_an_array_goes_to_no_scalar() -> None:

    weaver = Weaver(Elements([], Ranges(), Tables()))
    with pytest.raises(Broken, match="an array goes to a scalar"):
        weaver._store(Dest(None, var="x"), Lin(), letter.iota(2), Value(Lit(1, "i32"), 0))
