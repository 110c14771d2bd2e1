"""Fold: steps before trees become part of their thresholds, exactly.

A step that treats columns alone never turns their order round, so what a split asks of a scaled value is a
question about the reading itself: is it at most some number? The greatest f32 for which the library's own
arithmetic says yes is found by bisection over all f32, with the library's own transform. What is left for
the device is one comparison, and it takes the same side as the library for every f32 reading.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.foreign import LE_F32, LT_F32, Columns, Floats, RawTree

GREATEST = 0x7F7FFFFF
"""The bits of the greatest f32; its negative stands for the least."""
NEVER = float("-inf")

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """All splits of all trees, one entry each: the column asked, the threshold, and the rule."""

    column: Whole
    threshold: Floats
    rule: str

    def low(self, value: Floats) -> NDArray[np.bool_]:
        """Say for each split whether a scaled value goes to its low side; a missing one does not."""
        with np.errstate(over="ignore"):
            seen = value if self.rule not in (LE_F32, LT_F32) else value.astype(np.float32).astype(np.float64)
        return seen < self.threshold if self.rule == LT_F32 else seen <= self.threshold


def folded(trees: Sequence[RawTree], rule: str, steps: Sequence[Columns], columns: int) -> list[RawTree]:
    """Return trees whose thresholds are f32 limits for the readings themselves: low where x <= limit.

    A limit is -inf where no reading goes low. `gap_low` then says where a missing reading goes, also
    where a step fills it. `columns` is how many columns the steps take.
    """
    inner = [np.flatnonzero(t.low >= 0) for t in trees]
    column = np.concatenate([t.feature[k] for t, k in zip(trees, inner, strict=True)])
    threshold = np.concatenate([t.threshold[k] for t, k in zip(trees, inner, strict=True)])
    gap_low = np.concatenate([t.gap_low[k] for t, k in zip(trees, inner, strict=True)])
    if not column.size:
        return list(trees)
    asked, back = np.unique(np.stack([column.astype(np.float64), threshold]), axis=1, return_inverse=True)
    back = back.reshape(-1)
    question = _Question(asked[0].astype(np.int64), asked[1], rule)
    limit = _bisected(question, steps, columns)[back]
    filled = _transformed(np.full((1, columns), np.nan), steps)[0][question.column]
    gap = np.where(np.isnan(filled)[back], gap_low, question.low(filled)[back])
    found: list[RawTree] = []
    start = 0
    for tree, at in zip(trees, inner, strict=True):
        part = slice(start, start := start + len(at))
        limits, gaps = np.zeros(len(tree.low)), np.zeros(len(tree.low), bool)
        limits[at], gaps[at] = limit[part], gap[part]
        found.append(replace(tree, threshold=limits, gap_low=gaps))
    return found


def _bisected(question: _Question, steps: Sequence[Columns], columns: int) -> Floats:
    """Return for each split the greatest f32 that goes low, -inf for none."""
    count = len(question.column)
    row = np.zeros(count, np.int64)
    for c in np.unique(question.column):
        at = np.flatnonzero(question.column == c)
        row[at] = np.arange(len(at))
    least, most = np.full(count, -GREATEST - 1), np.full(count, GREATEST)
    while (least < most).any():
        middle = (least + most + 1) >> 1
        asked = np.zeros((int(row.max()) + 1, columns))
        asked[row, question.column] = _float_of(middle)
        low = question.low(_transformed(asked, steps)[row, question.column])
        least, most = np.where(low, middle, least), np.where(low, most, middle - 1)
    return np.where(least < -GREATEST, NEVER, _float_of(np.maximum(least, -GREATEST)))


def _float_of(place: Whole) -> Floats:
    """Return the f32 at a place in their order, 0 at place 0."""
    bits = np.where(place < 0, 0x80000000 - place, place).astype(np.uint32)
    return bits.view(np.float32).astype(np.float64)


def _transformed(rows: Floats, steps: Sequence[Columns]) -> Floats:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # libraries warn of columns without names, and of empty ones
        for step in steps:
            rows = np.asarray(step.transform(rows), np.float64)
    return rows
