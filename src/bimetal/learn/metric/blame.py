"""Blame: whether the signals named in an explanation are those that were at fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Blame:
    """What an event was due to: its first and last row, and the signals at fault, by number."""

    first: int
    last: int
    signals: tuple[int, ...]


def hit_rate(blames: Sequence[Blame], share: NDArray[np.float32], part: float = 1.0) -> list[float]:
    """Return for every event which part of its k signals is among the `part` * k largest mean shares.

    `share` is (rows, signals). HitRate@100 % is `part` 1 and HitRate@150 % is 1.5: Su and others, Robust
    anomaly detection for multivariate time series, KDD 2019.
    """
    found: list[float] = []
    for blame in blames:
        named = _order(blame, share)[: int(part * len(blame.signals))]
        found.append(len(set(named) & set(blame.signals)) / len(blame.signals))
    return found


def first_right(blames: Sequence[Blame], share: NDArray[np.float32]) -> list[float]:
    """Return for every event 1 when the signal with the largest mean share is at fault, else 0."""
    return [float(_order(blame, share)[0] in blame.signals) for blame in blames]


def _order(blame: Blame, share: NDArray[np.float32]) -> list[int]:
    return np.argsort(-share[blame.first : blame.last + 1].mean(axis=0), kind="stable").tolist()
