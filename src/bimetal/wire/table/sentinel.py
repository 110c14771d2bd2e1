"""Sentinel: numbers that stand for a missing reading, such as -200 or 9999."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.column import Column

FEWEST = 3
MARGIN = 0.02


def find_sentinels(columns: Sequence[Column]) -> dict[int, float]:
    """Return, by place of the column, the number that stands for a missing reading.

    Such a number is written like a code (all nines, a power of two, a round number below
    zero), lies at an end of the range, comes again and again exactly, and is far from the
    rest. Once it is certain in one column, the same number at an end of another is believed.
    """
    certain = {c.place: v for c in columns if (v := _outlying(c, 1.0)) is not None}
    codes = set(certain.values())
    for column in columns:
        if column.place not in certain:
            value = _outlying(column, MARGIN)
            if value is not None and value in codes:
                certain[column.place] = value
    return certain


def _outlying(column: Column, margin: float) -> float | None:
    """Return a code at an end of the range that is further from the rest than `margin` of their span."""
    values = column.distinct
    if len(values) < FEWEST + 2:
        return None
    for value, rest in ((values[0], values[1:]), (values[-1], values[:-1])):
        if not _like_a_code(float(value), rest):
            continue
        gap = float(np.abs(rest - value).min())
        span = float(rest[-1] - rest[0])
        if gap > margin * span and np.count_nonzero(column.finite == value) >= FEWEST:
            return float(value)
    return None


def _like_a_code(value: float, rest: NDArray[np.float64]) -> bool:
    size = abs(value)
    digits = str(int(size)) if size < 1e15 else ""
    nines = len(digits) >= 2 and set(digits) == {"9"}
    power = size in (127.0, 255.0, 32767.0, 32768.0, 65535.0, 2147483647.0, 2147483648.0, 4294967295.0)
    if power and value in (127.0, 255.0):
        power = float(np.abs(rest).max()) < size / 4
    below = value <= -100 and value % 50 == 0 and float(rest.min()) > 0.1 * value
    return nines or power or below or size >= 1e15
