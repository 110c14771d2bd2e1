"""Sift: which columns are signals, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.bag import bag
from bimetal.wire.table.column import Column
from bimetal.wire.table.device import codes_of
from bimetal.wire.table.label import answers
from bimetal.wire.table.name import words_of
from bimetal.wire.table.shape import Dropped
from bimetal.wire.table.stamp import DAY_NS
from bimetal.wire.table.trial import pace_of, try_stamps

Number = TypeVar("Number", np.float64, np.int64)

COUNTERS = bag("index id idx no nr num number row rows seq sequence count counter record unnamed line obs x1")
EVEN = 0.02
FEWEST_EVEN = 100
LEAST_CLIMB = 20


@dataclass(frozen=True, slots=True)
class Ground:
    """What columns are judged against: the instants of the sample's rows, and their devices.

    `starts` are the rows at which the sample jumps ahead; `timed` says whether `ns` is real time.
    """

    ns: NDArray[np.int64]
    starts: tuple[int, ...]
    timed: bool
    device: Column | None = None

    def steps(self, values: NDArray[Number]) -> NDArray[Number]:
        """Return the steps of a column from row to row of one device, jumps of the sample left out."""
        jumps = np.zeros(len(values), dtype=np.bool_)
        jumps[list(self.starts)] = True
        order = np.arange(len(values))
        same = np.ones(max(len(values) - 1, 0), dtype=np.bool_)
        if self.device is not None:
            codes = codes_of(self.device)
            order = np.argsort(codes, kind="stable")
            same = np.diff(codes[order]) == 0
            jumps = np.maximum.accumulate(np.where(jumps, np.arange(len(values)), 0))
            return np.diff(values[order])[same & (np.diff(jumps[order]) == 0)]
        return np.diff(values)[same & ~jumps[1:]]


def sift(columns: Sequence[Column], ground: Ground) -> tuple[list[Column], list[Dropped]]:
    """Part the signals from the rest; return (signals, the others each with its reason)."""
    kept: list[Column] = []
    dropped: list[Dropped] = []
    seen: dict[bytes, Column] = {}
    for column in columns:
        reason = next(_reasons(column, ground), "")
        if not reason:
            print_of = np.nan_to_num(column.numbers, nan=1.2345e300).tobytes()
            first = seen.setdefault(print_of, column)
            if first is not column:
                reason = f"duplicate of {first.name.text}"
        if reason:
            dropped.append(Dropped(column.name.text or column.heading, reason))
        else:
            kept.append(column)
    return kept, dropped


def text_reason(column: Column, starts: Sequence[int]) -> str:
    """Say why a column that cannot be read as numbers cannot."""
    if not column.said:
        return "empty"
    if column.cells.ns is not None or try_stamps(column, starts):
        return "time part: another time stamp"
    if len(column.finite) >= 0.05 * column.said:
        share = column.bad / column.said
        odd = next(
            (w for w, v in zip(column.words, column.numbers, strict=True) if np.isnan(v) and w.strip()), ""
        )
        return f"text: {share:.0%} of its cells are no numbers, such as {odd[:20]!r}"
    return "text"


def _reasons(column: Column, ground: Ground) -> Iterator[str]:
    """Yield the reasons why a column is no signal, if any."""
    if answers(column):
        yield "label"
    if not column.is_number:
        yield text_reason(column, ground.starts)
        return
    if len(column.distinct) == 1:
        yield f"constant ({column.distinct[0]:g})"
    if _is_row_number(column, ground):
        yield "counter or row number"
    if ground.timed and _is_time_part(column, ground):
        yield "time part: it follows from the time"
    if _is_counter(column, ground):
        yield "counter or row number"


def _is_row_number(column: Column, ground: Ground) -> bool:
    steps = ground.steps(column.numbers) if column.is_whole else column.finite[:0]
    return len(steps) > 1 and bool((steps == 1).all())


def _is_counter(column: Column, ground: Ground) -> bool:
    if not column.is_whole or len(column.finite) < 0.9 * len(column.numbers) or len(column.finite) < 3:
        return False
    steps = ground.steps(column.numbers)
    steps = steps[~np.isnan(steps)]
    if not len(steps):
        return False
    if float((steps == 1).mean()) > 0.9:
        return True
    words = [w for w in words_of(column.heading) if not w.isdigit()]
    named = all(w in COUNTERS for w in words)
    forward = float((steps >= 0).mean())
    if named and forward > 0.99 and len(column.distinct) > 0.9 * len(column.finite):
        return True
    return forward == 1.0 and _climbs_evenly(column, ground)


def _climbs_evenly(column: Column, ground: Ground) -> bool:
    """Whether a count keeps to a straight line over time, as a run-time meter does and no sensor."""
    values = column.numbers
    if ground.device is not None or np.isnan(values).any() or len(values) < FEWEST_EVEN:
        return False
    span = float(values[-1] - values[0])
    along = ground.ns - ground.ns[0] if ground.timed else np.arange(len(values))
    if span < LEAST_CLIMB or not along[-1]:
        return False
    line = values[0] + span * (along / along[-1])
    return float(np.abs(values - line).max()) <= max(EVEN * span, 1)


def _is_time_part(column: Column, ground: Ground) -> bool:
    if len(ground.starts) == 1 and ground.device is None and pace_of(column, ground.ns):
        return True
    if not column.is_whole or column.switch:
        return False
    return any(_follows(column.numbers, part) for part in _calendar(ground.ns))


def _follows(values: NDArray[np.float64], part: NDArray[np.int64]) -> bool:
    """Whether a column is a calendar part of the time, whatever number it starts from."""
    there = ~np.isnan(values)
    if not there.any() or len(np.unique(part[there][:5000])) < 3:
        return False
    apart = values[there] - part[there]
    return bool(abs(apart[0]) <= 1 and float((apart == np.median(apart)).mean()) > 0.98)


def _calendar(ns: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    second = ns // 1_000_000_000
    of_day = second % 86400
    day = ns // DAY_NS
    yield from (
        of_day // 3600,
        of_day // 60 % 60,
        of_day % 60,
        of_day,
        of_day // 60,
        (day + 4) % 7,
        (day + 3) % 7,
    )
    date = ns.view("datetime64[ns]")
    month = date.astype("datetime64[M]")
    year = date.astype("datetime64[Y]")
    yield (date.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64) + 1
    yield month.astype(np.int64) % 12 + 1
    yield year.astype(np.int64) + 1970
    yield (date.astype("datetime64[D]") - year.astype("datetime64[D]")).astype(np.int64) + 1
