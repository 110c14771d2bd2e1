"""The kernel of forests is found by its letters alone, and has their bits whatever a block brings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bimetal.cli.toolbox import LocalTools
from bimetal.program import letter, tree
from bimetal.program.block import HEAD, pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Node
from bimetal.program.operator import Example, wire
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.isolation_forest import IsolationForest
from bimetal.program.program import Draft, Program
from bimetal.program.tree import Tree
from bimetal.program.verify import check
from bimetal.targets.c99 import write_c99
from bimetal.targets.c99_run import C99Target
from bimetal.targets.kernels.forest import places_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.loops import Call, statements
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget

EXAMPLES = [*Forest.examples(), *IsolationForest.examples()]
COLUMNS = 6


def calls(program: Program) -> list[Call]:
    """The kernels of a program that is lowered with them."""
    lowered = lower(program, check(program).ranges, in_one_piece)
    return [s for stage in lowered.stages for s in statements(stage.body) if isinstance(s, Call)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_found(example: Example) -> None:
    program, _ = wire(example.operator, example.signals)
    (place,) = places_of(program)
    assert place.kernel.trees == len(example.operator.trees)  # type: ignore[attr-defined]
    assert place.x.op == "input"
    assert len(calls(program)) == (1 if place.x.size > 1 else 0)


def forest(rng: np.random.Generator, leaves: int, depth: int = 6, count: int = 5) -> tuple[Tree, ...]:
    """Random trees."""

    def grown(depth: int) -> Tree:
        if depth == 0 or rng.random() < 0.15:
            return int(rng.integers(leaves))
        return (int(rng.integers(COLUMNS)), int(rng.integers(256)), grown(depth - 1), grown(depth - 1))

    return tuple(grown(depth) for _ in range(count))


FORMS = ("links", "short", "crown-1", "crown-3", "crown-6", "crown-7")
"""Forms of trees of six levels; the last two have nothing below their crowns."""


def operators(leaves: int, form: str = "links") -> dict[str, Forest]:
    """A forest for every way to add up, in a form."""
    return {how: replace(made, form=form) for how, made in _operators(leaves).items()}


def _operators(leaves: int) -> dict[str, Forest]:
    rng = np.random.default_rng(leaves)
    worth = tuple((int(v),) for v in rng.integers(-9999, 9999, leaves))
    rows = tuple(tuple(map(int, r)) for r in rng.integers(0, 99, (leaves, 3)))
    trees, start = forest(rng, leaves), (0, 0, 1, 2, leaves - 1)
    return {
        "votes": Forest(trees, outputs=3),
        "many votes": Forest(trees, outputs=leaves),
        "one sum": Forest(trees, worth, start, outputs=1),
        "sums in turn": Forest(trees, worth, start, outputs=5),
        "rows": Forest(trees, rows, start, outputs=3),
        "one tree": Forest(trees[:1], worth, (0,), outputs=1),
        "one tree of rows": Forest(trees[:1], rows, (0,), outputs=3),
        "one row": Forest(trees, worth[:1], (0,) * 5, outputs=1),
    }


@pytest.mark.needs("cc")
@pytest.mark.parametrize("leaves", [4, 126, 700])
@pytest.mark.parametrize("how", operators(4))
@pytest.mark.parametrize("dtype", ["u8", "f32"])
def test_its_c_has_the_bits_of_the_letters(how: str, leaves: int, dtype: str) -> None:
    same_in_c(operators(leaves)[how], dtype)


@pytest.mark.needs("cc")
@pytest.mark.parametrize("form", FORMS[1:])
@pytest.mark.parametrize("how", operators(4))
def test_every_form_has_the_bits_of_its_letters_in_c(how: str, form: str) -> None:
    same_in_c(operators(4, form)[how], "u8")


@pytest.mark.needs("cc")
@pytest.mark.parametrize("form", ["short", "crown-2", "crown-8"])
@pytest.mark.parametrize("how", ["votes", "one sum"])
def test_forms_of_floats_too(how: str, form: str) -> None:
    same_in_c(operators(4, form)[how], "f32")


@pytest.mark.needs("cc")
@pytest.mark.parametrize("form", ["crown-1", "crown-6"])
@pytest.mark.parametrize("how", ["many votes", "one sum", "rows"])
def test_crowns_of_many_leaves(how: str, form: str) -> None:
    same_in_c(operators(700, form)[how], "u8")


@pytest.mark.needs("cc")
def test_two_classes_that_are_declared_are_counted_as_one_sum() -> None:
    made = Forest(forest(np.random.default_rng(3), 2), outputs=2, form="crown-3")
    program, _ = wire(made, (np.zeros((1, COLUMNS), np.uint8),))
    lowered = lower(program, check(program).ranges, in_one_piece)
    assert "sums[0] = 5 - sums[1];" in write_c99(program, lowered, "m").code
    same_in_c(made, "u8")


def test_no_tree_is_found_its_output_by_a_division() -> None:
    trees = tuple((0, k, 0, 1) for k in range(6))
    made = Forest(trees, tuple((k,) for k in range(12)), tuple(range(0, 12, 2)), outputs=3)
    program, _ = wire(made, (np.zeros((1, COLUMNS), np.uint8),))
    assert " % " not in write_c99(program, lower(program, check(program).ranges, in_one_piece), "m").code


@pytest.mark.needs("cc")
@pytest.mark.parametrize("levels", [1, 2])
def test_a_crown_with_one_cell_and_one_tree(levels: int) -> None:
    tree: Tree = (0, 9, 0, (1, 5, 1, (2, 7, 2, 3)))
    same_in_c(Forest((tree,), outputs=4, form=f"crown-{levels}"), "u8")


@pytest.mark.needs("cc")
def test_ways_of_many_cells_are_a_loop() -> None:
    tree: Tree = 1
    for k in range(20):
        tree = (k % COLUMNS, 100 + k, tree, 0)
    made = Forest((tree, 0, tree), outputs=3, form="crown-2")
    program, _ = wire(made, (np.zeros((1, COLUMNS), np.uint8),))
    assert "--steps > 0" in write_c99(program, lower(program, check(program).ranges, in_one_piece), "m").code
    same_in_c(made, "u8")


def same_in_c(made: Forest, dtype: str) -> None:
    """Compare C with the law, for the trees as they are and for parameters that make no sense."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, (30, COLUMNS)).astype(np.uint8)
    if dtype == "f32":
        x = np.where(rng.random(x.shape) < 0.1, np.nan, x.astype(np.float32)).astype(np.float32)
    program, values = wire(made, (x,))
    assert len(calls(program)) == 1
    rows = np.zeros(len(x), layout_of(program).input.dtype)
    rows["x0"] = x
    start = initial_state(program)
    running = C99Target(LocalTools()).load(program, pack(program, values))
    for block in [values, *(senseless(program, values, rng) for _ in range(8))]:
        law = NumpyTarget().load(program, pack(program, block)).run(start, rows)
        running._between = pack(program, block)[HEAD.size :]
        found = running.run(start, rows)
        assert found[1].tobytes() == law[1].tobytes()


def senseless(program: Program, values: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Parameters that keep to what is declared, and make no sense."""
    found = dict(values)
    for p in program.params:
        if p.dtype != "f32":
            low, high = int(p.low), int(p.high)
            edge = rng.choice([low, high, -1 if low < 0 else low], p.shape)
            found[p.name] = np.where(rng.random(p.shape) < 0.3, edge, rng.integers(low, high + 1, p.shape))
    return found


def test_a_forest_amid_other_letters_is_found_and_the_rest_stays() -> None:
    draft = Draft()
    x = draft.input("x", "u8", (2, 3))
    made = Forest(forest(np.random.default_rng(1), 3), outputs=3, name="a")
    other = Forest(forest(np.random.default_rng(2), 3), outputs=3, name="b")
    flat = letter.reshape(x, (6,))
    back = letter.slice_(flat, 5, -1, -1)
    one, two = made.trace(draft, flat), other.trace(draft, back)
    draft.output("y", letter.add(one, letter.mul(two, 2)))
    program = draft.finish()
    found = calls(program)
    assert [c.kernel.name for c in found] == ["a", "b"]
    assert [c.reads[0].space for c in found] == ["in", "scratch"]


def changed(program: Program, op: str) -> Program:
    """A program with one letter exchanged for another."""
    from bimetal.program.rewrite import mapped

    def rule(node: Node) -> Node:
        return replace(node, op={"lt": "le"}[op]) if node.op == op and node.args[0].dtype == "i32" else node

    return mapped(program, rule)


def test_one_other_letter_and_it_is_no_forest() -> None:
    program, _ = wire(Forest(), (np.zeros((1, 2), np.uint8),))
    assert len(list(places_of(program))) == 1
    assert not list(places_of(changed(program, "lt")))


def test_names_alone_make_no_forest() -> None:
    draft = Draft()
    x = draft.input("x", "u8", (3,))
    for what in ("feature", "threshold", "root"):
        draft.param(f"forest_{what}", [0, 0], "u8")
    link = draft.param("forest_link", [0, 0], "i16")
    draft.output("y", letter.reduce(letter.reshape(letter.cast(x, "i32"), (1, 3)), axis=0))
    draft.output("z", letter.cast(link, "i32"))
    assert not list(places_of(draft.finish()))


def test_a_forest_inside_a_loop_stays_in_letters() -> None:
    draft = Draft()
    x = draft.input("x", "u8", (2, 3))
    packed = tree.packed(((0, 10, 0, 1), (2, 20, 1, 2)))

    def turn(k: Node) -> Node:
        return tree.counted(tree.walk(draft, packed, letter.gather(x, k), "forest"), 3)

    draft.output("y", letter.each(2, turn))
    assert not calls(draft.finish())


def test_its_c_is_the_same_for_all_values() -> None:
    x = (np.zeros((1, COLUMNS), np.uint8),)
    made = [wire(Forest(((0, 10, (k, 20, 0, 1), 1), (3, 5 + k, 1, 0))), x)[0] for k in (1, 4)]
    texts = [write_c99(p, lower(p, check(p).ranges, in_one_piece), "m") for p in made]
    assert texts[0] == texts[1]
    assert "forest_sums(p, in->x0, out->y0)" in texts[0].code
