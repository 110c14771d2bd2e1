"""Leaves become whole numbers that add up exactly; thresholds become bins where that pays."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.imports import plant
from bimetal.learn.imports.foreign import RawTree
from tests.learn.imports.test_fold import stump


def worth(tree: RawTree, *values: float) -> RawTree:
    """A tree whose leaves are worth something else."""
    value = np.array([[0.0], *([v] for v in values)])
    return RawTree(tree.feature, tree.threshold, tree.low, tree.high, tree.gap_low, value)


@pytest.mark.parametrize("greatest", [1e-9, 0.3, 1.0, 7e5, 1e12])
def test_leaves_are_as_fine_as_their_sum_allows(greatest: float) -> None:
    trees = [worth(stump(1.0), greatest, -greatest / 3)] * 100
    codes, leaves = plant.worth(trees)
    rows = np.array(leaves.rows, np.int64)
    assert 100 * int(np.abs(rows).max()) < 2**31
    assert 100 * int(np.abs(rows).max()) > 2**28 or leaves.shift == 40
    found = np.ldexp(rows[codes[0][1:] + leaves.start[0], 0].astype(float), -leaves.shift)
    np.testing.assert_allclose(found, [greatest, -greatest / 3], atol=2.0 ** (-leaves.shift - 1))


def test_equal_leaves_are_kept_once() -> None:
    trees = [worth(stump(float(k)), k % 3, 5.0) for k in range(50)]
    _, leaves = plant.worth(trees)
    assert len(leaves.rows) == 4
    assert set(leaves.start) == {0}


def test_many_different_leaves_are_numbered_tree_by_tree() -> None:
    trees = [worth(stump(1.0), k + 0.25, k + 0.5) for k in range(100)]
    codes, leaves = plant.worth(trees)
    assert leaves.start == tuple(range(0, 200, 2))
    assert max(map(max, codes)) == 1


def test_sides_that_are_worth_the_same_are_one_leaf() -> None:
    trees = [worth(stump(1.0), 2.0, 2.0)]
    codes, _ = plant.worth(trees)
    bins, _ = plant.soils_of(trees, gaps=True)
    assert plant.nested(trees[0], codes[0], bins, "bins") == 0


def test_a_column_comes_twice_if_its_gaps_go_both_ways() -> None:
    trees = [stump(1.0, gap_low=True), stump(2.0, gap_low=False)]
    bins, _ = plant.soils_of(trees, gaps=True)
    assert (bins.source, bins.high) == ((0, 0), (False, True))
    alone, _ = plant.soils_of(trees, gaps=False)
    assert (alone.source, alone.edges) == ((0,), ((1.0, 2.0),))


def test_more_edges_than_a_row_has_bins_take_more_rows() -> None:
    trees = [stump(float(k)) for k in range(600)]
    bins, whole = plant.soils_of(trees, gaps=False)
    assert [len(e) for e in bins.edges] == [255, 255, 90]
    assert len(whole.edges) == 1
    codes = np.array([0, 0, 1])
    assert plant.nested(trees[300], codes, bins, "bins") == (1, 45, 0, 1)
    assert plant.nested(trees[300], codes, whole, "floats") == (0, 300.0, 0, 1)
    assert plant.nested(trees[300], codes, whole, "octets") == 0


def test_bins_are_taken_where_edges_are_shared() -> None:
    shared = [stump(float(k % 10)) for k in range(200)]
    assert plant.prefers_bins(shared, plant.soils_of(shared, gaps=False)[0])
    alone = [stump(float(k)) for k in range(200)]
    assert not plant.prefers_bins(alone, plant.soils_of(alone, gaps=False)[0])
