"""Dial: which columns of a stranger's table tell the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bimetal.wire.table.clock import PARTS, SECOND_NS, Clock
from bimetal.wire.table.column import Column
from bimetal.wire.table.stamp import DAY_NS
from bimetal.wire.table.trial import (
    Trial,
    forward_share,
    pace_of,
    say_stamp,
    sounds_like_time,
    steps_within,
    try_stamps,
)
from bimetal.wire.table.unit import find_unit

EXCEL_ORIGIN_NS = -25569 * DAY_NS
MATLAB_ORIGIN_NS = -719529 * DAY_NS


def find_clock(columns: Sequence[Column], starts: Sequence[int], *, headed: bool) -> Clock:
    """Return how the table tells the time; rows a second apart when nothing does.

    `starts` are the rows at which the sample jumps ahead; `headed` says that there is a header.
    """
    trials = [t for c in columns if (t := try_stamps(c, starts))]
    ways: tuple[Callable[[], Clock | None], ...] = (
        lambda: _best_stamp([t for t in trials if t.stamps.dated and t.stamps.timed], starts),
        lambda: next(
            (Clock("instant", (c.place,), said="typed as time") for c in columns if c.cells.ns is not None),
            None,
        ),
        lambda: _joined(trials),
        lambda: _epoch(columns, starts, headed=headed),
        lambda: _parts(columns, trials),
        lambda: _best_stamp([t for t in trials if t.stamps.dated], starts),
        lambda: _days(columns, starts),
        lambda: _relative(columns, starts),
        lambda: _daytime(trials),
    )
    for way in ways:
        clock = way()
        if clock:
            return _refined(clock, columns, starts)
    return Clock("row", said="no time column: rows are taken to be 1 s apart")


def force_clock(columns: Sequence[Column], starts: Sequence[int]) -> Clock | None:
    """Return how the columns that a user named tell the time, or None when they do not."""
    clock = find_clock(
        [replace(c, heading="time") if len(columns) == 1 else c for c in columns], starts, headed=True
    )
    if clock.kind != "row":
        return clock
    whole = [c for c in columns if c.is_number]
    return _counted(whole[0], "") if len(columns) == 1 and whole else None


def _best_stamp(trials: Sequence[Trial], starts: Sequence[int]) -> Clock | None:
    def rank(trial: Trial) -> tuple[bool, float, int, int]:
        forward = (
            float((steps_within(trial.stamps.ns, starts) >= 0).mean()) if len(trial.stamps.ns) > 1 else 1.0
        )
        named = sounds_like_time(trial.column.heading)
        return named, round(forward, 1), len(np.unique(trial.stamps.ns[:2000])), -trial.column.place

    if not trials:
        return None
    best = max(trials, key=rank)
    return Clock("stamp", (best.column.place,), (best.order,), said=say_stamp(best))


def _joined(trials: Sequence[Trial]) -> Clock | None:
    dates = [t for t in trials if t.stamps.dated and not t.stamps.timed]
    times = [t for t in trials if not t.stamps.dated and t.stamps.timed]
    if not dates or not times:
        return None
    date, time = (
        min(ts, key=lambda t: (not sounds_like_time(t.column.heading), t.column.place))
        for ts in (dates, times)
    )
    orders = (date.order, time.order)
    return Clock(
        "stamp", (date.column.place, time.column.place), orders, said=f"{say_stamp(date)}; time of day apart"
    )


def _epoch(columns: Sequence[Column], starts: Sequence[int], *, headed: bool) -> Clock | None:
    for column in sorted(columns, key=lambda c: (not sounds_like_time(c.heading), c.place)):
        if not column.is_number or column.switch or _stands(column):
            continue
        middle = float(np.median(column.finite))
        unit_ns = next((10**n for n in (9, 6, 3, 0) if 6e8 <= middle * 10**n / 1e9 < 4.2e9), 0)
        fine = sounds_like_time(column.heading) or (
            (not headed or "time" in column.heading.lower()) and forward_share(column, starts) > 0.95
        )
        if unit_ns and fine:
            unit = {9: "seconds", 6: "milliseconds", 3: "microseconds", 0: "nanoseconds"}[
                len(str(unit_ns)) - 1
            ]
            return Clock("count", (column.place,), unit_ns=unit_ns, said=f"{unit} since 1970 UTC")
    return None


def _stands(column: Column) -> bool:
    """Whether a column stays the same, as no clock does; a single row does not tell."""
    return len(column.distinct) < 2 and len(column.numbers) > 1


def _parts(columns: Sequence[Column], trials: Sequence[Trial]) -> Clock | None:
    named: dict[str, Column] = {}
    for column in columns:
        part = _PART_NAMES.get(column.heading.strip().lower())
        if part and column.is_whole and not column.switch and _within(column, part):
            named.setdefault(part, column)
    date = next((t for t in trials if t.stamps.dated and not t.stamps.timed), None)
    if date and "hour" in named and len(np.unique(date.stamps.ns)) * 2 < len(date.stamps.ns):
        parts = ("date", *(p for p in PARTS[3:] if p in named))
        places = (date.column.place, *(named[p].place for p in parts[1:]))
        return Clock(
            "parts", places, (date.order,), parts=parts, said="a date and columns for the time of day"
        )
    if not {"year", "month", "day"} <= named.keys():
        return None
    parts = tuple(p for p in PARTS if p in named)
    return Clock(
        "parts", tuple(named[p].place for p in parts), parts=parts, said=f"columns {', '.join(parts)}"
    )


def _within(column: Column, part: str) -> bool:
    low, high = _PART_RANGE[part]
    return bool(low <= column.finite.min() and column.finite.max() <= high)


def _days(columns: Sequence[Column], starts: Sequence[int]) -> Clock | None:
    for column in columns:
        if not (
            column.is_number and sounds_like_time(column.heading) and forward_share(column, starts) > 0.9
        ):
            continue
        low, high = float(column.finite.min()), float(column.finite.max())
        for first, last, origin_ns, name in (
            (20_000, 80_000, EXCEL_ORIGIN_NS, "spreadsheet days"),
            (700_000, 780_000, MATLAB_ORIGIN_NS, "MATLAB days"),
        ):
            if first <= low and high < last and _daily_steps(column):
                return Clock("count", (column.place,), unit_ns=DAY_NS, origin_ns=origin_ns, said=name)
    return None


def _daily_steps(column: Column) -> bool:
    steps = np.diff(column.finite)
    return bool(len(steps) and np.median(np.abs(steps)) <= 31)


def _relative(columns: Sequence[Column], starts: Sequence[int]) -> Clock | None:
    for column in columns:
        named = sounds_like_time(column.heading)
        if named and column.is_number and not _stands(column) and forward_share(column, starts) > 0.9:
            return _counted(column, column.name.unit)
    return None


def _counted(column: Column, unit: str) -> Clock:
    found = find_unit(unit)
    timed = found is not None and found.quantity == "time"
    unit_ns = round(found.factor * SECOND_NS) if found and timed else SECOND_NS
    said = f"a number of {unit if timed else 's'} from the start"
    return Clock("count", (column.place,), unit_ns=unit_ns, said=said if timed else f"{said} (unit assumed)")


def _daytime(trials: Sequence[Trial]) -> Clock | None:
    times = [t for t in trials if t.stamps.timed and not t.stamps.dated]
    if not times:
        return None
    best = min(times, key=lambda t: (not sounds_like_time(t.column.heading), t.column.place))
    said = "time of day alone; a day begins wherever it starts anew"
    return Clock("stamp", (best.column.place,), (best.order,), daily=True, said=said)


def _refined(clock: Clock, columns: Sequence[Column], starts: Sequence[int]) -> Clock:
    """Tell the time by a finer column that runs in step with a coarse one, where most stamps repeat."""
    if clock.kind not in ("stamp", "count", "instant"):
        return clock
    by_place = {c.place: c for c in columns}
    coarse, ok = clock.read([by_place[p].cells for p in clock.places], 0, len(columns[0].cells))
    if not ok.all() or len(coarse) < 20 or len(np.unique(coarse)) * 2 > len(coarse):
        return clock
    for column in columns:
        if column.place in clock.places or not column.is_number or len(column.finite) < len(coarse):
            continue
        unit_ns = pace_of(column, coarse)
        if unit_ns and len(column.distinct) * 2 > len(coarse) and forward_share(column, starts) > 0.99:
            origin_ns = int(coarse[0]) - round(float(column.numbers[0]) * unit_ns)
            return Clock(
                "count", (column.place,), unit_ns=unit_ns, origin_ns=origin_ns, text_place=clock.places[0],
                said=f"{clock.said}; between equal stamps {column.heading} tells the time",
            )  # fmt: skip
    return clock


_PART_NAMES = {
    word: part
    for part, words in (
        ("year", "year yr yyyy jahr"), ("month", "month mon mnth mm monat"), ("day", "day dd dom mday tag"),
        ("hour", "hour hr hours hh stunde"), ("minute", "minute minutes mi"),
        ("second", "second seconds ss"),
    )
    for word in words.split()
}  # fmt: skip
_PART_RANGE = {
    "year": (0, 2250), "month": (1, 12), "day": (1, 31), "hour": (0, 24), "minute": (0, 59),
    "second": (0, 60),
}  # fmt: skip
