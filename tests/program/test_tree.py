"""Trees are packed and walked as they are written, safely whatever a block brings, in the same code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, BadProgram
from bimetal.program.block import pack
from bimetal.program.digest import digest
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.forest import Forest
from bimetal.program.program import Program
from bimetal.program.tree import NARROW, WIDE, Tree, depth_of, packed
from bimetal.program.verify import check
from bimetal.targets.c99 import write_c99
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_run import WasmTarget

COLUMNS = 6


def a_tree(rng: np.random.Generator, depth: int, leaves: int, floats: bool = False) -> Tree:
    """A random tree, of no more than `depth` levels."""
    if depth == 0 or rng.random() < 0.2:
        return int(rng.integers(leaves))
    threshold = float(np.float32(rng.normal(100, 60))) if floats else int(rng.integers(256))
    sides = [a_tree(rng, depth - 1, leaves, floats) for _ in range(2)]
    return (int(rng.integers(COLUMNS)), threshold, *sides)


def leaf_of(tree: Tree, row: NDArray[Any]) -> int:
    """Walk down as the words say."""
    while not isinstance(tree, int):
        feature, threshold, low, high = tree
        tree = high if row[feature] > threshold else low
    return tree


def answers(program: Program, values: dict[str, Any], x: NDArray[Any], target: Any) -> NDArray[Any]:
    """What a program of one vector says about every row."""
    rows = np.zeros((len(x), 1), layout_of(program).input.dtype)
    rows["x0"][:, 0] = x
    state = np.frombuffer(initial_state(program), np.uint8)
    running = target.load(program, pack(program, values))
    return running.run_devices(np.tile(state, (len(x), 1)), rows)[1]["y0"][:, 0]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 6),
    depth=st.integers(0, 9),
    leaves=st.sampled_from([2, 100, 127, 128, 30000]),
    floats=st.booleans(),
)
def test_votes_are_those_of_the_trees_as_written(
    seed: int, count: int, depth: int, leaves: int, floats: bool
) -> None:
    rng = np.random.default_rng(seed)
    trees = tuple(a_tree(rng, depth, leaves, floats) for _ in range(count))
    x = rng.normal(100, 60, (50, COLUMNS)).astype(np.float32)
    x = (
        np.where(rng.random(x.shape) < 0.05, np.float32(np.nan), x)
        if floats
        else np.clip(x, 0, 255).astype(np.uint8)
    )
    program, values = wire(Forest(trees, outputs=leaves if leaves < 1000 else 7), (x,))
    expected = np.zeros((len(x), leaves), np.int32)
    for row, votes in zip(x, expected, strict=True):
        for tree in trees:
            votes[leaf_of(tree, row)] += 1
    found = answers(program, values, x, NumpyTarget())
    assert (found == expected[:, : found.shape[1]]).all()
    assert (answers(program, values, x, WasmTarget()) == found).all()


def test_leaves_are_numbered_in_seven_bits_or_in_fifteen() -> None:
    assert packed([(0, 1, 125, 126)]).bits == NARROW
    assert packed([(0, 1, 125, 127)]).bits == WIDE
    assert packed([(0, 1, 0, 2**15 - 2)]).bits == WIDE
    for leaf in (-1, 2**15 - 1):
        with pytest.raises(BadProgram, match="leaves must be numbered"):
            packed([(0, 1, 0, leaf)])


def test_more_splits_than_seven_bits_can_link_take_fifteen() -> None:
    chain: Tree = 0
    for _ in range(300):
        chain = (0, 1, chain, (0, 2, 0, 1))
    assert depth_of(chain) == 301
    assert packed([chain] * 10).bits == NARROW
    assert packed([chain] * 60).bits == WIDE


@pytest.mark.parametrize("trees", [(), ((7, 1, 0, 1),)])
def test_what_cannot_be_walked_is_refused(trees: tuple[Tree, ...]) -> None:
    with pytest.raises(BadProgram):
        wire(Forest(trees), (np.zeros((1, COLUMNS), np.uint8),))


def test_too_many_levels_are_refused() -> None:
    chain: Tree = 0
    for _ in range(600):
        chain = (0, 1, chain, 1)
    with pytest.raises(BadProgram, match="600 levels"):
        packed([chain])


def random_block(program: Program, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Parameters that keep to what is declared, and make no sense."""
    found: dict[str, NDArray[Any]] = {}
    for p in program.params:
        low, high = (int(b) for b in (p.low, p.high))
        worst = rng.choice([low, high, -1 if low < 0 else low], p.shape)
        found[p.name] = np.where(rng.random(p.shape) < 0.3, worst, rng.integers(low, high + 1, p.shape))
    return found


@pytest.mark.parametrize("leaves", [5, 1000])
def test_no_block_leads_out_of_the_arrays_and_all_targets_agree(leaves: int) -> None:
    rng = np.random.default_rng(leaves)
    trees = tuple(a_tree(rng, 6, leaves) for _ in range(5))
    made = Forest(trees, tuple((int(v),) for v in rng.integers(-99, 99, leaves)), (0,) * 5, outputs=1)
    x = rng.integers(0, 256, (40, COLUMNS)).astype(np.uint8)
    for operator in (made, Forest(trees, outputs=leaves)):
        program, _ = wire(operator, (x,))
        for _ in range(20):
            values = random_block(program, rng)
            law = answers(program, values, x, NumpyTarget())
            assert (answers(program, values, x, WasmTarget()) == law).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("forest_link", 999), ("forest_feature", COLUMNS), ("forest_root", -1), ("forest_link", -(2**15))],
)
def test_a_block_with_a_link_or_a_column_outside_is_not_loaded(name: str, value: int) -> None:
    program, values = wire(Forest(((0, 1, (1, 2, 0, 1), 1),)), (np.zeros((1, COLUMNS), np.uint8),))
    values[name] = np.full_like(values[name], value)
    with pytest.raises(BadInput, match="declared range"):
        pack(program, values)


def test_another_forest_of_the_same_size_is_the_same_program_and_code() -> None:
    x = (np.zeros((1, COLUMNS), np.uint8),)
    one, values = wire(Forest(((0, 10, (1, 20, 0, 1), 1), (3, 5, 1, 0))), x)
    two, others = wire(Forest(((4, 99, 0, (2, 200, 1, 0)), (1, 50, 0, 1))), x)
    assert digest(one) == digest(two)
    assert any((values[k] != others[k]).any() for k in values)
    code = [
        (write_wasm(low).code, write_c99(p, low, "m"))
        for p in (one, two)
        for low in [lower(p, check(p).ranges)]
    ]
    assert code[0] == code[1]


def test_what_leaves_are_worth_must_fit_the_trees() -> None:
    made = Forest(((0, 1, 0, 1),) * 3, ((1,), (2,)), (0,) * 3, outputs=1)
    for wrong in (
        replace(made, outputs=2),
        replace(made, start=(0,)),
        replace(made, values=((1, 2), (3, 4)), outputs=3),
    ):
        with pytest.raises(BadProgram, match="do not fit"):
            wire(wrong, (np.zeros((1, COLUMNS), np.uint8),))
