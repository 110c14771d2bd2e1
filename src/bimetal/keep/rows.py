"""Rows: readings of many series as columns, one row a reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.asked import Asked
from bimetal.keep.catalog import Held
from bimetal.nouns.batch import Batch
from bimetal.nouns.reading import Quality
from bimetal.nouns.signal import Signal

Series = tuple[str, str]
"""A device and one of its signals."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings, one a row: `code` (n,) says which of the `series` it belongs to.

    `time_ns` (n,) int64 since 1970 UTC, `value` (n,) float64, never NaN, `quality` (n,) uint8.
    """

    series: tuple[Series, ...]
    code: NDArray[np.int32]
    time_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time_ns)

    def part(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Rows:
        """Return some of the rows."""
        return Rows(self.series, self.code[rows], self.time_ns[rows], self.value[rows], self.quality[rows])

    def stretches(self) -> Iterator[tuple[Series, slice]]:
        """Yield each series with its rows, where those of a series lie together."""
        if len(self):
            turns = np.flatnonzero(np.diff(self.code)) + 1
            starts = [0, *turns.tolist()]
            for a, b in zip(starts, [*turns.tolist(), len(self)], strict=True):
                yield self.series[int(self.code[a])], slice(a, b)


def no_rows() -> Rows:
    """Return nothing, as rows."""
    return Rows(
        (), np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8)
    )


def rows_of(batches: Iterable[tuple[Batch, Quality]]) -> Rows:
    """Return the readings of batches in the order of arrival; missing ones are left out."""
    number: dict[Series, int] = {}
    known: dict[tuple[tuple[str, ...], tuple[str, ...]], NDArray[np.int32]] = {}
    parts: list[Rows] = []
    for batch, quality in batches:
        names = batch.devices, tuple(s.name for s in batch.signals)
        if names not in known:
            known[names] = _numbered(*names, number)
        row, column = np.nonzero(~np.isnan(batch.values))
        code = known[names][batch.device[row], column]
        grade = np.full(len(row), int(quality), np.uint8)
        parts.append(Rows((), code, batch.time_ns[row], batch.values[row, column], grade))
    whole = _stacked(parts)
    return Rows(tuple(number), whole.code, whole.time_ns, whole.value, whole.quality)


def join(parts: Sequence[Rows]) -> Rows:
    """Return rows one part after the other."""
    if len(parts) == 1:
        return parts[0]
    number: dict[Series, int] = {}
    renumbered: list[Rows] = []
    for part in parts:
        code = np.array([number.setdefault(s, len(number)) for s in part.series], np.int32)
        mapped = code[part.code] if len(part) else part.code
        renumbered.append(Rows((), mapped, part.time_ns, part.value, part.quality))
    whole = _stacked(renumbered)
    return Rows(tuple(number), whole.code, whole.time_ns, whole.value, whole.quality)


def tidy(rows: Rows) -> Rows:
    """Sort by device, signal and time; of readings with the same three, the last to arrive stays."""
    used: list[int] = np.unique(rows.code).tolist()
    order = sorted(used, key=rows.series.__getitem__)
    rank = np.zeros(len(rows.series), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    code = rank[rows.code] if len(rows) else rows.code
    rows = Rows(tuple(rows.series[k] for k in order), code, rows.time_ns, rows.value, rows.quality)
    if _is_tidy(rows):
        return rows
    rows = rows.part(np.lexsort((rows.time_ns, rows.code)))
    last = np.ones(len(rows), bool)
    last[:-1] = (np.diff(rows.code) != 0) | (np.diff(rows.time_ns) != 0)
    return rows.part(last)


def pivot(rows: Rows, signals: Sequence[Signal]) -> Batch:
    """Return tidy rows as a batch ordered by device and time, one column a signal."""
    column_of = {s.name: k for k, s in enumerate(signals)}
    devices = sorted({device for device, _ in rows.series})
    device_of = {name: k for k, name in enumerate(devices)}
    device = np.array([device_of[d] for d, _ in rows.series], np.int32)[rows.code] if len(rows) else rows.code
    column = np.array([column_of[s] for _, s in rows.series], np.intp)
    order = np.lexsort((rows.time_ns, device))
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(device[order]) != 0) | (np.diff(rows.time_ns[order]) != 0)
    row = np.empty(len(order), np.intp)
    row[order] = np.cumsum(fresh) - 1
    values = np.full((int(fresh.sum()), len(signals)), np.nan)
    if len(rows):
        values[row, column[rows.code]] = rows.value
    first = order[fresh]
    return Batch(tuple(devices), tuple(signals), rows.time_ns[first], device[first], values)


def held_in(rows: Rows) -> tuple[Held, ...]:
    """Return the series in tidy rows, each with where it lies."""
    return tuple(
        Held(*series, at.stop - at.start, int(rows.time_ns[at][0]), int(rows.time_ns[at][-1]), at.start)
        for series, at in rows.stretches()
    )


def within(rows: Rows, asked: Asked) -> Rows:
    """Return the rows that are asked for."""
    wanted = np.array([asked.names(d, s) for d, s in rows.series], bool)
    hit = wanted[rows.code] if len(rows) else np.zeros(0, bool)
    return rows.part(hit & (rows.time_ns >= asked.since_ns) & (rows.time_ns < asked.until_ns))


def times_by_series(rows: Rows) -> Mapping[Series, NDArray[np.int64]]:
    """Return the times of each series of tidy rows."""
    return {series: rows.time_ns[at] for series, at in rows.stretches()}


Goes = Callable[[Series, NDArray[np.int64]], "NDArray[np.bool_] | None"]
"""Says which readings of a series, by their times, must go; None: none of them."""


def without(rows: Rows, goes: Goes) -> Rows:
    """Return rows, those of a series together, without those that must go."""
    gone = np.zeros(len(rows), bool)
    for series, at in rows.stretches():
        said = goes(series, rows.time_ns[at])
        if said is not None:
            gone[at] = said
    return rows.part(~gone) if gone.any() else rows


def _numbered(devices: Sequence[str], signals: Sequence[str], number: dict[Series, int]) -> NDArray[np.int32]:
    codes = [[number.setdefault((d, s), len(number)) for s in signals] for d in devices]
    return np.array(codes, np.int32).reshape(len(devices), len(signals))


def _stacked(parts: Sequence[Rows]) -> Rows:
    parts = [no_rows(), *parts]
    return Rows(
        (),
        np.concatenate([p.code for p in parts]),
        np.concatenate([p.time_ns for p in parts]),
        np.concatenate([p.value for p in parts]),
        np.concatenate([p.quality for p in parts]),
    )


def _is_tidy(rows: Rows) -> bool:
    step = np.diff(rows.code)
    return bool(((step > 0) | ((step == 0) & (np.diff(rows.time_ns) > 0))).all())
