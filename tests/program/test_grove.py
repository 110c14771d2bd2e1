"""Groves: trees say the same in every form, keep their form's rules, and are refused where it has no room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, BadProgram
from bimetal.program.block import pack
from bimetal.program.crown import MOST_LEVELS, MOST_STEPS, crowned
from bimetal.program.grove import MOST_TREES, form_of
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.isolation_forest import IsolationForest
from bimetal.program.program import Program
from bimetal.program.tree import Tree, most_worth
from bimetal.program.twig import MOST_FAR, twigs
from bimetal.program.verify import check
from bimetal.targets.c99 import write_c99
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget

COLUMNS = 5
EDGES = [0, 1, 127, 254, 255]
FORMS = ("links", "short", "crown-1", "crown-2", "crown-4", "crown-5")

thresholds = st.one_of(st.integers(0, 255), st.sampled_from(EDGES))
leaves = st.integers(0, 6)


def splits(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.integers(0, COLUMNS - 1), thresholds, inner, inner)


@st.composite
def a_tree(draw: st.DrawFn) -> Tree:
    """Any tree of up to four levels; thresholds often at the ends of an octet, sides often alike."""
    part: st.SearchStrategy[Any] = leaves
    for _ in range(4):
        part = st.one_of(leaves, splits(part))
    return draw(part)


groves = st.lists(a_tree(), min_size=1, max_size=6).map(tuple)
values_of_octets = st.lists(st.lists(st.sampled_from([*EDGES, 2, 128]), min_size=COLUMNS, max_size=COLUMNS))


def leaf_of(tree: Tree, row: NDArray[Any]) -> int:
    """Walk down as the words say."""
    while not isinstance(tree, int):
        feature, threshold, low, high = tree
        tree = high if row[feature] > threshold else low
    return tree


def said(program: Program, values: dict[str, Any], x: NDArray[Any]) -> NDArray[Any]:
    """What the law says about every row."""
    rows = np.zeros(len(x), layout_of(program).input.dtype)
    rows["x0"] = x
    return NumpyTarget().load(program, pack(program, values)).run(initial_state(program), rows)[1]["y0"]


@settings(max_examples=40, deadline=None)
@given(trees=groves, form=st.sampled_from(FORMS), seed=st.integers(0, 99))
def test_any_trees_vote_as_written_in_every_form(trees: tuple[Tree, ...], form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.choice([*EDGES, 5, 128, *rng.integers(0, 256, 4)], (25, COLUMNS)).astype(np.uint8)
    program, values = wire(Forest(trees, outputs=7, form=form), (x,))
    votes = np.zeros((len(x), 7), int)
    for tree in trees:
        for k, row in enumerate(x.astype(int)):
            votes[k, leaf_of(tree, row)] += 1
    assert (said(program, values, x) == votes).all()


@settings(max_examples=30, deadline=None)
@given(trees=groves, form=st.sampled_from(FORMS), seed=st.integers(0, 99))
def test_any_trees_add_up_as_written_gaps_and_ends_too(trees: tuple[Tree, ...], form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = [np.nan, np.inf, -np.inf, -0.0, 0.0, 255.0, 254.5, 3e38, 1e-45]
    x = np.where(
        rng.random((25, COLUMNS)) < 0.5, rng.choice(ends, (25, COLUMNS)), rng.uniform(-9, 300, (25, COLUMNS))
    )
    x = x.astype(np.float32)
    worth = rng.integers(-(2**15), 2**15, (7 * len(trees), 2))
    start = tuple(7 * t for t in range(len(trees)))
    rows = tuple(tuple(map(int, r)) for r in worth)
    program, values = wire(Forest(trees, rows, start, outputs=2, form=form), (x,))
    expected = sum(worth[[s + leaf_of(tree, row) for row in x]] for s, tree in zip(start, trees, strict=True))
    assert (said(program, values, x) == expected).all()


@pytest.mark.parametrize("form", FORMS)
def test_isolation_forests_have_the_same_score_in_every_form(form: str) -> None:
    rng = np.random.default_rng(2)
    trees: tuple[Tree, ...] = ((0, 9, (1, 3, 0, 1), (2, 200, (3, 0, 2, 3), 4)), 1, (4, 255, 2, 0))
    ways = tuple(float(w) for w in rng.uniform(0, 9, 9))
    x = rng.integers(0, 256, (50, COLUMNS)).astype(np.uint8)
    made = {f: wire(IsolationForest(trees, ways, (0, 2, 4), 3.0, form=f), (x,)) for f in ("links", form)}
    one, other = (said(*m, x) for m in made.values()) if form != "links" else (said(*made[form], x),) * 2
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_code_is_the_same_for_other_values(form: str) -> None:
    x = (np.zeros((1, COLUMNS), np.uint8),)
    made = [wire(Forest(((0, 10, (k, 20, 0, 1), 1), (3, 5 + k, 1, 0)), form=form), x)[0] for k in (1, 4)]
    texts = [write_c99(p, lower(p, check(p).ranges, in_one_piece), "m") for p in made]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("form", ["links", "short", "crown-1", "crown-2"])
def test_what_is_not_declared_is_refused_when_a_block_is_loaded(form: str) -> None:
    trees: tuple[Tree, ...] = ((0, 9, (1, 3, (1, 2, (0, 5, 1, 0), 1), 1), (2, 200, 0, 1)), (4, 7, 1, 0))
    program, values = wire(Forest(trees, form=form), (np.zeros((1, COLUMNS), np.uint8),))
    refused = 0
    for p in program.params:
        if p.name.endswith("threshold") or (p.low, p.high) == (0, 255):
            continue
        for bad in (p.low - 1, p.high + 1):
            hostile = np.array(values[p.name], np.int64)
            hostile.reshape(-1)[-1] = bad
            with pytest.raises(BadInput):
                pack(program, {**values, p.name: hostile})
            refused += 1
    assert refused >= 4


@pytest.mark.parametrize(
    "form", ["", "tree", "crown", "crown-0", "crown-11", "crown-x", "crown--1", "crown-²"]
)
def test_a_form_that_there_is_none_of_is_refused(form: str) -> None:
    with pytest.raises(BadProgram, match="form"):
        form_of(form)


def test_a_million_trees_are_refused() -> None:
    x = (np.zeros((1, 2), np.uint8),)
    for form in ("links", "short", "crown-1"):
        for made in (
            Forest(((0, 1, 0, 1),) * 1_000_000, form=form),
            IsolationForest(((0, 1, 0, 1),) * 1_000_000, (1.0, 2.0), (0,) * 1_000_000, form=form),
        ):
            with pytest.raises(BadProgram, match=f"1..{MOST_TREES}|do not fit"):
                wire(made, x)


def test_no_trees_are_refused() -> None:
    with pytest.raises(BadProgram):
        wire(Forest(()), (np.zeros((1, 2), np.uint8),))


def test_leaves_and_ways_that_a_form_has_no_room_for_are_refused() -> None:
    chain: Tree = 0
    for k in range(MOST_FAR + 3):
        chain = (0, k % 256, chain, 1)
    with pytest.raises(BadProgram, match="leaves"):
        twigs(((0, 1, 0, 7),))
    with pytest.raises(BadProgram, match="further on"):
        twigs(((0, 1, chain, (0, 2, 1, 0)),))
    assert twigs((chain,)).turns >= MOST_FAR
    with pytest.raises(BadProgram, match=f"at most {MOST_STEPS}"):
        crowned((chain,), 3)
    with pytest.raises(BadProgram, match="levels"):
        crowned(((0, 1, 0, 1),), MOST_LEVELS + 1)
    with pytest.raises(BadProgram, match="leaves"):
        crowned(((0, 1, 0, 2**15),), 1)


def test_a_complete_crown_has_no_cells_and_half_a_tree_is_filled_up() -> None:
    crown = crowned(((0, 9, 1, (1, 3, 0, 2)), 1), 2)
    assert not crown.cells
    assert crown.steps == 0
    assert crown.end == (-2, -2, -1, -3, -2, -2, -2, -2)
    assert crown.top[:4] == ((0, 0), (0, 9), (0, 0), (1, 3))


def test_what_leaves_are_worth_takes_no_more_bytes_than_it_needs() -> None:
    x = (np.zeros((1, 2), np.uint8),)
    for most, kind in ((127, "i8"), (128, "i16"), (32767, "i16"), (32768, "i32"), (most_worth(2), "i32")):
        made = Forest(((0, 1, 0, 1), (1, 2, 0, 1)), ((most,), (-most,)), (0, 0), outputs=1)
        program, values = wire(made, x)
        (table,) = [p for p in program.params if p.name == "forest_values"]
        assert table.dtype == kind
        assert 2 * table.high < 2**31
        rows = np.array([[0, 0], [9, 9]], np.uint8)
        assert said(program, values, rows).tolist() == [[2 * most], [-2 * most]]
