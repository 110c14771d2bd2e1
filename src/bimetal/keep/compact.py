"""Compact: which small segments become one, so that there are few and each reading is rewritten seldom."""

from __future__ import annotations

from collections.abc import Sequence

from bimetal.keep.catalog import Sealed

FEWEST = 8
"""So many segments, one after the other, are worth joining."""
MOST_READINGS = 8_000_000
"""No segment is made larger than this by joining."""


def run_to_join(segments: Sequence[Sealed], most_readings: int = MOST_READINGS) -> tuple[Sealed, ...]:
    """Return neighbours to join, in the order of arrival; none when nothing is worth it.

    A run is worth it when it has FEWEST segments or more, together at most `most_readings`, and none
    holds more than half of them: so a reading is rewritten at most log2(most_readings) times.
    """
    for first in range(len(segments)):
        total, largest, best = 0, 0, first
        for stop in range(first, len(segments)):
            total, largest = total + segments[stop].rows, max(largest, segments[stop].rows)
            if total > most_readings:
                break
            if stop + 1 - first >= FEWEST and 2 * largest <= total:
                best = stop + 1
        if best > first:
            return tuple(segments[first:best])
    return ()
