"""Merge: segments read side by side and in order, as one, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise

from bimetal.keep.catalog import Found, Held
from bimetal.keep.rows import Goes, Rows, Series, join, tidy, without
from bimetal.keep.sealed_file import SealedFile
from bimetal.keep.store import Store

_ROWS = 1 << 17
"""How many rows are worked on at a time, unless one series that came out of order has more."""
_Lying = tuple[SealedFile, Held]


def merge(store: Store, founds: Sequence[Found], goes: Goes | None = None) -> Iterator[Rows]:
    """Yield the readings of segments, given in order of arrival, tidy and in parts, but those that must go.

    Of readings with the same device, signal and time, the last to arrive stays. Raises as SealedFile.
    """
    with ExitStack() as stack:
        series: dict[Series, list[_Lying]] = {}
        for found in founds:
            file = SealedFile(store, found.sealed)
            stack.callback(file.close)
            for h in found.held:
                series.setdefault((h.device, h.signal), []).append((file, h))
        waiting: list[Rows] = []
        count = 0
        for key in sorted(series):
            for part in _series(series[key]):
                waiting.append(without(part, goes) if goes else part)
                count += len(waiting[-1])
                if count >= _ROWS:
                    yield join(waiting)
                    waiting, count = [], 0
        if count:
            yield join(waiting)


def _series(lying: list[_Lying]) -> Iterator[Rows]:
    """Yield one series from all files, in order of time."""
    apart = sorted(lying, key=lambda one: one[1].first_ns)
    if all(a[1].last_ns < b[1].first_ns for a, b in pairwise(apart)):
        for file, held in apart:
            yield from file.pieces(held)
    else:
        yield tidy(join([part for file, held in lying for part in file.pieces(held)]))
