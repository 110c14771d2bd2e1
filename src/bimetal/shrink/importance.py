"""Importance: which signals of a detector could go first: those that the others tell best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHITEN = "together_whiten"
_LEAST = 1e-9
_ALIKE = 1e-5
"""Figures that differ by less are equal but for rounding: of two signals, each tells the other alike."""


def order_by_importance(values: Mapping[str, NDArray[Any]], signals: int) -> tuple[int, ...]:
    """Return the places of a detector's signals, the most important first.

    From the learned covariance, one signal after the other is left out: always the one of which the
    others that are left explain the largest share of its variance, 1 - 1 / (the diagonal of the inverse
    correlation), the last of equals first. `values` are the detector's parameters. Without relations
    (one signal, or none learned) the order is that of the signals.

    Reference: Belsley, Kuh and Welsch, Regression diagnostics, 1980, on variance inflation.
    """
    whiten = values.get(WHITEN)
    if whiten is None or signals < 2:
        return tuple(range(signals))
    inverse = np.linalg.inv(_correlation(np.asarray(whiten, np.float64), signals))
    left, gone = list(range(signals)), list[int]()
    while len(left) > 1:
        told = np.diag(inverse)
        k = int(np.flatnonzero(told >= (1 - _ALIKE) * told.max())[-1])
        gone.append(left.pop(k))
        row = np.delete(inverse[k], k)
        inverse = np.delete(np.delete(inverse, k, 0), k, 1) - np.outer(row, row) / told[k]
    return (*left, *reversed(gone))


def _correlation(whiten: NDArray[np.float64], signals: int) -> NDArray[np.float64]:
    """Return the correlation of signals (s, s), averaged over their bands; 0 between blocks."""
    groups, size, _ = whiten.shape
    blocks = -(-signals // size)
    bands = groups // blocks
    whole = np.zeros((blocks * size, blocks * size))
    for group in range(groups):
        directions: NDArray[np.float64] = whiten[group]
        precision: NDArray[np.float64] = directions.T @ directions + _LEAST * np.eye(size)
        covariance = np.linalg.inv(precision)
        scale = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
        at = slice(group % blocks * size, (group % blocks + 1) * size)
        whole[at, at] += covariance / np.outer(scale, scale) / bands
    found = whole[:signals, :signals]
    np.fill_diagonal(found, 1.0 + 1e-6)
    return found
