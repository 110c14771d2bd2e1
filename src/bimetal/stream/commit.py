"""Commit: how long messages took from when they came until they were safe, counted by size of that time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

_STEP = 1.1
_FIRST_MS = 0.05
UP_TO_MS = tuple(round(_FIRST_MS * _STEP**k, 4) for k in range(140))
"""Times a tenth apart, from 0.05 ms to half a minute."""
_EDGES_NS = np.array(UP_TO_MS) * 1e6


class Commits:
    """Counts since the start; one thread adds, any may read. A share is told to a tenth of its value."""

    up_to_ms = UP_TO_MS

    def __init__(self, counts: Sequence[int] = ()) -> None:
        self._counts = np.array(counts, np.int64) if counts else np.zeros(len(UP_TO_MS) + 1, np.int64)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many took so long, by the times in UP_TO_MS; the last are those that took longer."""
        return tuple(self._counts.tolist())

    def add(self, received_ns: Sequence[int], safe_ns: int) -> None:
        """Count messages that came at these times and are safe now."""
        waits = safe_ns - np.array(received_ns, np.int64)
        found = np.searchsorted(_EDGES_NS, waits)
        self._counts = self._counts + np.bincount(found, minlength=len(self._counts))

    def since(self, before: Sequence[int]) -> Commits:
        """Return those that came after the counts were as they were `before`."""
        return Commits([now - then for now, then in zip(self.counts, before, strict=True)])

    def share_ms(self, share: float) -> float | None:
        """Return the time within which this share was safe; None when there are none, or it took longer."""
        through = list(accumulate(self.counts))
        if not through[-1]:
            return None
        at = bisect_left(through, share * through[-1])
        return UP_TO_MS[at] if at < len(UP_TO_MS) else None
