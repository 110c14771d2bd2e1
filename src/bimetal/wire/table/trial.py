"""Trial: a column read as time, to see how well that goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.bag import bag
from bimetal.wire.table.column import Column
from bimetal.wire.table.name import words_of
from bimetal.wire.table.stamp import DAY_NS, ORDERS, Stamps, read_stamps

KEYS = bag("time timestamp datetime date ts elapsed uptime clock timer epoch zeit datum tijd heure")
ALONGSIDE = bag(
    "s sec secs second seconds ms millis us micros ns nanos min minute minutes h hour hours unix utc local "
    "gmt stamp relative since start of recorded measured created at event record recording "
    "sample system server received log logged observation end dt"
)
YEARS = range(1990, 2101)
READ_SHARE = 0.5
PROBE = 400
PACE = 0.05
"""How far a clock may be from running in step: one stamped by the second looks uneven over a short time."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A column read as stamps under one order of its numbers."""

    column: Column
    order: str
    sure: bool
    stamps: Stamps


def sounds_like_time(heading: str) -> bool:
    """Whether a heading names time and nothing else: `timestamp`, `Time (s)`, not `run time left`."""
    words = [w for w in words_of(heading) if not w.isdigit()]
    joined = {"".join(words), *words}
    plain = all(w in KEYS | ALONGSIDE for w in words) or "".join(words) in KEYS
    return (
        (plain and bool(joined & KEYS))
        or heading.strip() in ("t", "ds", "dt")
        or words in (["seconds"], ["sec"])
    )


def try_stamps(column: Column, starts: Sequence[int]) -> Trial | None:
    """Read a column as stamps under the order of numbers that fits best, or None."""
    if column.cells.ns is not None or (column.is_number and not _compact(column)):
        return None
    cells = column.text()
    probe = cells[np.linspace(0, len(cells) - 1, min(PROBE, len(cells))).astype(int)]
    said = max(int(np.count_nonzero(probe != b"")), 1)
    likely = [o for o in ORDERS if np.count_nonzero(read_stamps(probe, o).ok) >= READ_SHARE * said]
    if not likely:
        return None
    trials = {order: read_stamps(cells, order) for order in likely}
    merit = {order: _merit(stamps, starts) for order, stamps in trials.items()}
    best = max(likely, key=lambda order: merit[order])
    same = [o for o in likely if merit[o] == merit[best] and (trials[o].ns != trials[best].ns).any()]
    if same and b"." not in probe[0]:
        best = "mdy" if "mdy" in (best, *same) and _american(probe) else best
    return Trial(column, best, not same, trials[best])


def _american(probe: NDArray[np.bytes_]) -> bool:
    return any(cell.rstrip().upper().endswith((b"AM", b"PM")) for cell in probe.tolist()[:20])


def _compact(column: Column) -> bool:
    """Whether whole numbers look like 20200208 or 20200208133047."""
    if not column.is_whole or not len(column.finite):
        return False
    low, high = float(column.finite.min()), float(column.finite.max())
    return any(YEARS[0] * 10**n <= low and high < YEARS[-1] * 10**n for n in (4, 8, 10))


def _merit(stamps: Stamps, starts: Sequence[int]) -> tuple[int, float, float]:
    """How well a reading fits: cells read, steps forward, and how even the steps are."""
    steps = (
        steps_within(stamps.ns, starts)[stamps.ok[1:] & stamps.ok[:-1]]
        if stamps.ok.all()
        else np.diff(stamps.ns[stamps.ok])
    )
    forward = float((steps >= 0).mean()) if len(steps) else 1.0
    usual = float(np.median(np.abs(steps))) if len(steps) else 0.0
    return int(np.count_nonzero(stamps.ok)), round(forward, 3), -usual


def steps_within(ns: NDArray[np.int64], starts: Sequence[int]) -> NDArray[np.int64]:
    """Return the steps between rows that follow each other in the file; 0 where the sample jumps."""
    steps = np.diff(ns)
    jumps = [s - 1 for s in starts if 0 < s <= len(steps)]
    steps[jumps] = 0
    return steps


def say_stamp(trial: Trial) -> str:
    """Say how a column is read, for a user."""
    zone = "with its offset from UTC" if trial.stamps.zoned else "no zone given, taken as UTC"
    form = {"dmy": "day first", "mdy": "month first", "ymd": "year first", "hms": "hour first"}[trial.order]
    differs = (read_stamps(trial.column.text()[:PROBE], "mdy" if trial.order == "dmy" else "dmy").ns
               != trial.stamps.ns[:PROBE]).any()  # fmt: skip
    if not differs:
        return f"date and time, {zone}" if trial.stamps.timed else f"date, {zone}"
    return f"date {form}{'' if trial.sure else ' (assumed: the data does not tell)'}, {zone}"


def forward_share(column: Column, starts: Sequence[int]) -> float:
    """The share of steps that go forward or stand, among rows that follow each other."""
    steps = np.diff(column.numbers)
    steps[[s - 1 for s in starts if 0 < s <= len(steps)]] = 0
    steps = steps[~np.isnan(steps)]
    return float((steps >= 0).mean()) if len(steps) else 1.0


def pace_of(column: Column, ns: NDArray[np.int64]) -> int:
    """Return how many nanoseconds one count of a column lasts, when it runs in step with time; else 0."""
    if not column.is_number or len(column.finite) != len(ns):
        return 0
    run = column.numbers - column.numbers[0]
    span, lasted = float(run[-1]), float(ns[-1] - ns[0])
    if span <= 0 or lasted <= 0:
        return 0
    for unit_ns in (1, 10**3, 10**6, 10**9, 60 * 10**9, 3600 * 10**9, DAY_NS):
        apart = np.abs(run * unit_ns - (ns - ns[0]))
        if abs(span * unit_ns / lasted - 1) < PACE and apart.max() <= max(0.01 * lasted, 1.1e9):
            return unit_ns
    return 0
