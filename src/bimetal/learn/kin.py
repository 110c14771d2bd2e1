"""Kin: which signals are siblings, two sensors of the same thing, and how one follows the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.dataset import History
from bimetal.learn.usual import Usual
from bimetal.nouns.device import FLEET
from bimetal.nouns.signal import Signal

Floats = NDArray[np.float64]

KIN = 0.95
"""Signals of the same thing that go together so closely are siblings."""
SAME_SWING = 2.0
"""What two signals say of the same thing varies by the same amount, give or take so many times."""
MOST_KIN = 64
"""With more signals than that nobody looks for siblings: all pairs would have to be compared."""
_FEW = 64


@dataclass(frozen=True, slots=True)
class Kin:
    """The sibling of every signal, itself where it has none, and how it follows it, in standard scales."""

    sibling: NDArray[np.int32]
    follows: Floats

    def __bool__(self) -> bool:
        """Say whether any signal has a sibling."""
        return bool(self.follows.any())

    @property
    def values(self) -> dict[str, Any]:
        """The gate's parameters for it; none where no signal has a sibling."""
        if not self:
            return {}
        return {"quality_sibling": self.sibling, "quality_follows": np.clip(self.follows, -100, 100)}


def no_kin(signals: int) -> Kin:
    """Return what holds when no signal has a sibling."""
    return Kin(np.arange(signals, dtype=np.int32), np.zeros(signals))


def kin_of(z: Floats, usual: Sequence[Usual], signals: Sequence[Signal]) -> Kin:
    """Find each signal's sibling among standardised readings (n, s), NaN where one is missing.

    A sibling measures the same thing: it has the same unit, says numbers of the same size and goes along
    closely. Signals of different things may go along as closely, as current and speed do; but when these
    part, it is the machine that has changed.
    """
    many = z.shape[1]
    none = no_kin(many)
    if not 1 < many <= MOST_KIN or len(z) < _FEW:
        return none
    sibling, follows = none.sibling, none.follows
    known = np.clip(np.nan_to_num(z), -6, 6)
    known = known - known.mean(axis=0)
    spread = known.std(axis=0)
    alive = spread > 1e-6
    close = (known.T @ known) / len(known) / np.maximum(np.outer(spread, spread), 1e-12)
    np.fill_diagonal(close, 0.0)
    close[~alive] = 0.0
    close[~_same_thing(usual, signals)] = 0.0
    best = np.abs(close).argmax(axis=1)
    for k in np.flatnonzero(np.abs(close[np.arange(many), best]) >= KIN):
        sibling[k] = best[k]
        follows[k] = close[k, best[k]] * spread[k] / spread[best[k]]
    return Kin(sibling, follows)


def _same_thing(usual: Sequence[Usual], signals: Sequence[Signal]) -> NDArray[np.bool_]:
    """Say of each two signals (s, s) whether they have one unit, and numbers that lie and vary alike."""
    units = np.array([s.unit for s in signals])
    low, high = np.array([u.low for u in usual]), np.array([u.high for u in usual])
    width = np.maximum(high - low, 1e-12)
    overlap = np.minimum.outer(high, high) - np.maximum.outer(low, low)
    narrower = np.minimum.outer(width, width)
    alike = np.maximum.outer(width, width) <= SAME_SWING * narrower
    return (units[:, None] == units) & (overlap >= 0.5 * narrower) & alike


def kin_of_history(history: History, known: Mapping[str, list[Usual]]) -> Kin:
    """Find the siblings among the signals of a history, over all of its devices."""
    every = max(1, history.rows // 50_000)
    z = [_standard(history.values(d)[::every], known.get(d) or known[FLEET]) for d in history.devices]
    return kin_of(np.concatenate(z), known[FLEET], history.signals)


def _standard(values: Floats, usual: Sequence[Usual]) -> Floats:
    location, scale = np.array([u.location for u in usual]), np.array([u.scale for u in usual])
    return (values - location) / scale
