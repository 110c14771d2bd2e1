"""Regrow: trees come back from every form as they were put in; what holds none is said to hold none."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program.operator import wire
from bimetal.program.operators.forest import Forest
from bimetal.program.tree import Tree
from bimetal.targets.kernels.forest import places_of
from bimetal.targets.kernels.regrow import linked, trees_of
from tests.targets.kernels.test_forest import COLUMNS, FORMS, forest, operators, senseless


def plain(tree: Tree) -> Tree:
    """A tree in which a split with equal sides is that side."""
    if isinstance(tree, int):
        return tree
    low, high = plain(tree[2]), plain(tree[3])
    return low if isinstance(low, int) and low == high else (tree[0], tree[1], low, high)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_trees_come_back_from_every_form(form: str, seed: int) -> None:
    trees = forest(np.random.default_rng(seed), 6)
    program, values = wire(Forest(trees, outputs=6, form=form), (np.zeros((1, COLUMNS), np.uint8),))
    (place,) = places_of(program)
    assert trees_of(place.kernel, values) == tuple(map(plain, trees))


def test_leaves_of_complete_crowns_are_places() -> None:
    tree: Tree = (0, 9, 1, (1, 3, 0, 1))
    made = Forest((tree,), ((5,), (7,)), (0,), outputs=1, form="crown-2")
    program, values = wire(made, (np.zeros((1, 2), np.uint8),))
    (place,) = places_of(program)
    assert trees_of(place.kernel, values) == ((0, 9, (0, 0, 0, 1), (1, 3, 2, 3)),)
    assert values["forest_values"].reshape(-1).tolist() == [7, 7, 5, 7]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ["votes", "one sum"])
def test_what_makes_no_sense_is_no_trees_and_never_an_error(form: str, how: str) -> None:
    rng = np.random.default_rng(1)
    program, values = wire(operators(4, form)[how], (np.zeros((1, COLUMNS), np.uint8),))
    (place,) = places_of(program)
    found = [trees_of(place.kernel, senseless(program, values, rng)) for _ in range(20)]
    if form in ("links", "short"):  # steps of crowns lead on whatever they are
        assert any(f is None for f in found)
    assert linked(place.kernel, values) is not None


def test_a_step_that_leads_nowhere_is_no_tree() -> None:
    tree: Tree = (0, 9, (1, 3, (1, 2, 0, 1), 1), 1)
    program, values = wire(Forest((tree,), form="crown-1"), (np.zeros((1, 2), np.uint8),))
    (place,) = places_of(program)
    still = {**values, "forest_child": np.array([0, -1, -1, -2])}
    assert trees_of(place.kernel, values) == (tree,)
    assert trees_of(place.kernel, still) is None
    assert linked(place.kernel, still) is None
