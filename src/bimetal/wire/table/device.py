"""Device: which column of a stranger's table names the device of each row."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.device import LONGEST_ID
from bimetal.wire.table.bag import bag
from bimetal.wire.table.clock import period_of
from bimetal.wire.table.column import Column
from bimetal.wire.table.name import words_of

THINGS = bag(
    "device devices machine unit asset station sensor mote node engine motor pump turbine vehicle car truck "
    "bus meter equipment equip host server gateway robot inverter house household room site "
    "plant line building bearing battery cell compressor fan valve tank subject patient animal drone "
    "engineid module board logger apparatus chiller boiler elevator lift crane mill press furnace "
    "transformer feeder substation well rig run session trial file recording experiment mac eui imei"
)
ALONGSIDE = bag("id ids no nr num number name code key identifier uid uuid address addr tag serial label")
FEWEST_ROWS = 4
MOST_DEVICES = 10_000
RHYTHM = 0.6
CLEARER = 0.3
"""Shares of even steps: what makes a rhythm, and by how much it must be clearer for each value by itself."""


def sounds_like_device(heading: str) -> bool:
    """Whether a heading names a thing and nothing else: `machineID`, `unit number`, not `motor speed`."""
    words = [w for w in words_of(heading) if not w.isdigit()]
    return (
        bool(words)
        and all(w in THINGS | ALONGSIDE for w in words)
        and (
            any(w in THINGS for w in words) or words in (["id"], ["uid"], ["uuid"], ["serial"], ["tag", "id"])
        )
    )


def find_device(
    columns: Sequence[Column], ns: NDArray[np.int64], starts: Sequence[int], *, timed: bool, headed: bool
) -> Column | None:
    """Return the column that names the device of each row, or None.

    A column is taken for its name, when its few values each come many times; or for what it
    does: time, or a counter beside it, only runs forward when each of its values is taken
    for itself. A setting or a kind of product does neither.
    """
    named = [c for c in columns if sounds_like_device(c.heading) and _names(c)]
    for column in named:
        if (
            not column.is_number
            or _splits(column, ns, starts, timed=timed)
            or _counted_apart(column, columns, starts)
        ):
            return column
        if column.is_whole and _in_runs_or_turns(column, starts):
            return column
    texts = [c for c in columns if not c.is_number and c.cells.ns is None and _names(c)]
    wholes = [] if headed else [c for c in columns if c.is_whole and _names(c)]
    for column in (*texts, *wholes):
        if timed and _splits(column, ns, starts, timed=timed):
            return column
        if not headed and _counted_apart(column, columns, starts):
            return column
    return None


def codes_of(column: Column) -> NDArray[np.intp]:
    """Return a small number for each row that is the same where the column's cell is the same."""
    _, codes = np.unique(column.text(), return_inverse=True)
    return codes


def device_id(text: str) -> str:
    """Turn a cell into an id a device can have; an empty one becomes `unknown`."""
    name = _UNFIT.sub("_", "".join(c if c.isprintable() else "_" for c in text.strip()))[:LONGEST_ID]
    return "unknown" if name in ("", ".", "..") else name


def _names(column: Column) -> bool:
    """Whether a column has few values that each come again and again."""
    if column.is_number and not (column.is_whole and not column.switch and _small(column)):
        return False
    rows = max(column.said, 1)
    count = len(column.distinct) if column.is_number else len(column.values)
    return column.said >= 0.9 * len(column.numbers) and 1 <= count <= min(rows / FEWEST_ROWS, MOST_DEVICES)


def _small(column: Column) -> bool:
    """Whether whole numbers could be ids: not below zero, and not much more of them than are used."""
    low, high = float(column.distinct[0]), float(column.distinct[-1])
    return low >= 0 and (high - low < 20 * len(column.distinct) + 100 or high - low < 1e4)


def _splits(column: Column, ns: NDArray[np.int64], starts: Sequence[int], *, timed: bool) -> bool:
    """Whether time makes sense only within each value of a column.

    Either it runs back in the rows as they come and not within each value, or it has a
    rhythm within each value and none in the rows as they come.
    """
    codes = codes_of(column)
    if not timed or codes.max() == 0:
        return False
    together = _kept(np.diff(ns), starts)
    order = np.argsort(codes, kind="stable")
    jumps = np.zeros(len(codes), dtype=np.intp)
    jumps[list(starts)] = 1
    run = np.cumsum(jumps)[order]
    apart = np.diff(ns[order])[(np.diff(codes[order]) == 0) & (np.diff(run) == 0)]
    if not len(together) or not len(apart):
        return False
    back, back_apart = float((together < 0).mean()), float((apart < 0).mean())
    if back > 1e-3 and back_apart <= 0.02 * back:
        return True
    even = _evenness(apart)
    return back_apart < 1e-3 and even > RHYTHM and even - _evenness(together) > CLEARER


def _evenness(steps: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """Return the share of steps within a tenth of the usual one."""
    period_ns = period_of(steps)
    return float((np.abs(steps - period_ns) <= 0.1 * period_ns).mean()) if period_ns else 0.0


def _counted_apart(column: Column, columns: Sequence[Column], starts: Sequence[int]) -> bool:
    """Whether another column counts the rows of each value one by one, anew for each."""
    codes = codes_of(column)
    if codes.max() == 0:
        return False
    order = np.argsort(codes, kind="stable")
    jumps = np.zeros(len(codes), dtype=np.bool_)
    jumps[list(starts)] = True
    same = (np.diff(codes[order]) == 0) & ~jumps[order][1:]
    for other in columns:
        if other is column or not other.is_whole or len(other.finite) != len(codes):
            continue
        steps = np.diff(other.numbers[order])[same]
        through = _kept(np.diff(other.numbers), starts)
        if len(steps) and float((steps == 1).mean()) > 0.97 and float((through < 0).mean()) > 0:
            return True
    return False


def _in_runs_or_turns(column: Column, starts: Sequence[int]) -> bool:
    """Whether values come in long runs, one after the other, or take turns; settings jump about."""
    codes = codes_of(column)
    changes = _kept((np.diff(codes) != 0).astype(np.float64), starts)
    count = int(codes.max()) + 1
    if count == 1 or not len(changes):
        return False
    runs = int(changes.sum()) + 1
    return runs <= 2 * count + len(starts) or float(changes.mean()) > 0.9


def _kept(steps: NDArray[np.int64] | NDArray[np.float64], starts: Sequence[int]) -> NDArray[np.float64]:
    """Leave out the steps at which the sample jumps ahead in the file."""
    keep = np.ones(len(steps), dtype=np.bool_)
    keep[[s - 1 for s in starts if 0 < s <= len(steps)]] = False
    return steps[keep].astype(np.float64)


_UNFIT = re.compile(r"[/+#\\]")
