"""Blocks: what is named in one is known inside it and nowhere else."""

from __future__ import annotations

from bimetal.program import letter
from bimetal.targets.block import Blocks, Value
from bimetal.targets.loops import At, For, If, Let, Lin, Lit, Op, Ref, variable
from bimetal.targets.name import Names

ONE = Lit(1.0, "f32")
SUM = Op("add", (ONE, ONE), "f32")


def test_a_value_is_named_in_the_block_it_belongs_to() -> None:
    blocks = Blocks(Names())
    blocks.open(4)
    named = blocks.bind(Value(SUM, 0), "total")
    blocks.close()
    body = blocks.finish()
    assert isinstance(named.expr, Ref)
    assert isinstance(body[0], Let)
    assert isinstance(body[1], For)
    assert not body[1].body


def test_what_is_noted_in_a_loop_is_forgotten_after_it() -> None:
    blocks = Blocks(Names())
    node = letter.const([1.0, 2.0], "f32")
    outside, inside = (Lin(0),), (variable("i1"),)
    blocks.note(node, outside, Value(ONE, 0))
    blocks.open(2)
    blocks.note(node, inside, Value(ONE, 1))
    assert blocks.known(node, outside)
    assert blocks.known(node, inside)
    blocks.close()
    assert blocks.known(node, outside)
    assert blocks.known(node, inside) is None


def test_an_index_belongs_to_its_innermost_variable() -> None:
    blocks = Blocks(Names())
    outer, inner = blocks.open(2), blocks.open(3)
    assert blocks.level((outer,)) == 1
    assert blocks.level((outer + inner,)) == 2
    assert blocks.level((Lin(5),)) == 0
    assert blocks.indexer.spans["i2"] == (0, 2)


def test_what_is_written_further_out_comes_before_the_loop() -> None:
    blocks = Blocks(Names())
    blocks.open(2)
    with blocks.outer(0):
        assert blocks.depth == 0
        blocks.open(7)
        assert blocks.indexer.spans["i1"] == (0, 6)
        blocks.close()
    assert blocks.depth == 1
    assert blocks.indexer.spans["i1"] == (0, 1)
    blocks.close()
    assert [s.count for s in blocks.finish() if isinstance(s, For)] == [7, 2]


def test_what_costs_nothing_is_spelled_again() -> None:
    assert Value(ONE, 0).atom
    assert Value(At(variable("i1")), 0).atom
    assert not Value(SUM, 0).atom


def test_what_is_named_where_it_is_asked_for_is_unknown_after_it() -> None:
    blocks, x = Blocks(Names()), letter.const(1.0, "f32")
    asked = Ref("asked_1", "b1")
    blocks.open_where(asked)
    blocks.note(x, (), blocks.bind(Value(SUM, blocks.depth), "sum"))
    assert blocks.known(x, ()) is not None
    blocks.close()
    assert blocks.known(x, ()) is None
    (statement,) = blocks.finish()
    assert isinstance(statement, If)
    assert statement.condition is asked
