"""Steps before trees become thresholds: for every f32, the same side as the library's own arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.learn.imports.fold import NEVER, folded
from bimetal.learn.imports.foreign import LE_F32, LE_F64, LT_F32, Columns, Floats, RawTree

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


def stump(threshold: float, gap_low: bool = False, column: int = 0) -> RawTree:
    """A tree of one split."""
    none = np.array([1, -1, -1])
    return RawTree(
        np.array([column, 0, 0]),
        np.array([threshold, 0, 0]),
        none,
        np.array([2, -1, -1]),
        np.array([gap_low, False, False]),
        np.array([[0.0], [1.0], [2.0]]),
    )


def scaled(location: float, scale: float) -> Columns:
    """A step as StandardScaler computes it."""

    def transform(rows: Floats) -> Floats:
        return (rows - location) / scale

    return Columns(transform, lambda draft, x, name: x)


@given(
    x=FINITE,
    threshold=st.floats(-1e6, 1e6),
    location=st.floats(-1e3, 1e3),
    scale=st.floats(1e-3, 1e3),
    rule=st.sampled_from([LE_F32, LE_F64, LT_F32]),
)
def test_a_reading_goes_where_the_library_sends_it(
    x: float, threshold: float, location: float, scale: float, rule: str
) -> None:
    step = scaled(location, scale)
    (tree,) = folded([stump(threshold)], rule, [step], 1)
    limit = tree.threshold[0]
    for reading in (x, limit, np.nextafter(np.float32(limit), np.float32(np.inf))):
        seen = step.transform(np.array([[float(reading)]]))[0, 0]
        with np.errstate(over="ignore"):
            seen = seen if rule == LE_F64 else np.float64(np.float32(seen))
        low = seen < threshold if rule == LT_F32 else seen <= threshold
        assert (reading <= limit) == low


@pytest.mark.parametrize(("threshold", "limit"), [(1e300, 3.4028234663852886e38), (-1e300, NEVER)])
def test_what_every_reading_or_none_fulfils(threshold: float, limit: float) -> None:
    (tree,) = folded([stump(threshold)], LE_F64, [], 1)
    assert tree.threshold[0] == limit


def test_a_filled_gap_goes_where_what_fills_it_goes() -> None:
    fill = Columns(lambda rows: np.where(np.isnan(rows), 5.0, rows), lambda draft, x, name: x)
    low, high = folded([stump(7.0), stump(3.0, gap_low=True)], LE_F64, [fill], 1)
    assert low.gap_low[0]
    assert not high.gap_low[0]
    (open_,) = folded([stump(3.0, gap_low=True)], LE_F64, [], 1)
    assert open_.gap_low[0]


def test_columns_are_told_apart() -> None:
    def transform(rows: Floats) -> Floats:
        return rows * np.array([1.0, 10.0])

    step = Columns(transform, lambda draft, x, name: x)
    one, two = folded([stump(20.0), stump(20.0, column=1)], LE_F64, [step], 2)
    assert (one.threshold[0], two.threshold[0]) == (20.0, 2.0)


def test_a_tree_without_splits_stays_as_it_is() -> None:
    leaf = RawTree(*(np.array([v]) for v in (0, 0.0, -1, -1, False)), np.array([[3.0]]))
    assert folded([leaf], LE_F32, [], 1) == [leaf]
