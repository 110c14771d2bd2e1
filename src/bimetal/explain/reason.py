"""Reason: from what a program put out to each signal's part in it, largest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.event import Reason
from bimetal.nouns.signal import Signal

LEAST_SHARE = 0.02
"""Smaller parts are not worth a word."""
MOST_REASONS = 8


class Expected(Protocol):
    """What a signal of a device usually does: its range, and when its sensor is stuck or gone."""

    @property
    def low(self) -> float:
        """The lower end of the usual range."""
        ...

    @property
    def high(self) -> float:
        """The upper end of the usual range."""
        ...

    @property
    def stuck_rows(self) -> int:
        """After how many equal readings the sensor is stuck."""
        ...

    @property
    def gone_rows(self) -> int:
        """After how many missing readings the sensor is gone."""
        ...


def reasons_of(
    signals: Sequence[Signal],
    expected: Sequence[Expected],
    values: NDArray[np.float64],
    share: NDArray[np.float32],
    since_ns: Sequence[int | None] = (),
) -> tuple[Reason, ...]:
    """Return the signals that make up a score, largest share first; values, share, since_ns are (s,).

    Parts below 2 % are left out, unless nothing else is there; at most eight are named. The shares are
    those of the exact additive split that the program put out, and add up to at most 1.
    """
    parts = np.clip(np.nan_to_num(share.astype(np.float64), nan=0.0), 0.0, 1.0)
    order: list[int] = np.argsort(-parts, kind="stable")[:MOST_REASONS].tolist()
    named = [k for k in order if parts[k] >= LEAST_SHARE] or order[:1]
    return tuple(
        Reason(
            signals[k].name,
            float(parts[k]),
            float(values[k]),
            float(expected[k].low),
            float(expected[k].high),
            signals[k].unit,
            since_ns[k] if k < len(since_ns) else None,
        )
        for k in named
    )
