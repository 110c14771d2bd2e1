"""Order: stamps that run backward, leap ahead, or start anew each day, put right as far as they can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.stamp import DAY_NS

HALF_DAY_NS = DAY_NS // 2
LONGEST_LEAP_ROWS = 5
LEAST_LEAP_NS = 3600 * 10**9
MOST_MENDS = 100_000


def roll_days(ns: NDArray[np.int64], last_ns: int) -> NDArray[np.int64]:
    """Add a day wherever a bare time of day starts anew; `last_ns` is the last instant before these."""
    if not len(ns):
        return ns
    day = last_ns // DAY_NS
    first = ns[0] + day * DAY_NS
    steps = np.diff(ns, prepend=ns[0])
    days = day + (first < last_ns - HALF_DAY_NS) + np.cumsum(steps < -HALF_DAY_NS)
    return ns + days * DAY_NS


def mend_midnights(ns: NDArray[np.int64], last_ns: int) -> NDArray[np.int64]:
    """Put the last row of a day, written as 00:00 of that same day, to the end of it.

    Meters that stamp the end of an interval write 23:45, then 00:00 with the old date.
    """
    before = np.concatenate([[last_ns], ns[:-1]])
    back = before - ns
    wrong = (ns % DAY_NS == 0) & (back >= DAY_NS - 7200 * 10**9) & (back < DAY_NS)
    return np.where(wrong, ns + DAY_NS, ns) if wrong.any() else ns


def find_leaps(
    ns: NDArray[np.int64], ok: NDArray[np.bool_], period_ns: int, last_ns: int | None = None
) -> NDArray[np.bool_]:
    """Return `ok` without the few rows whose stamp leaps far ahead and comes back at once.

    One such stamp, taken for true, would make every later one look late. `last_ns` is the
    last instant before these rows.
    """
    limit = max(LEAST_LEAP_NS, 100 * period_ns)
    rows = np.flatnonzero(ok)
    there = ns[rows]
    falls = np.flatnonzero(np.diff(there) < -limit)
    if not len(falls) or len(falls) > MOST_MENDS:
        return ok
    good = ok.copy()
    for fall in falls.tolist():
        after = int(there[fall + 1])
        for back in range(fall, max(fall - LONGEST_LEAP_ROWS, -1), -1):
            before = int(there[back - 1]) if back else last_ns
            settled = before is None or before <= after <= before + limit
            if settled and int(there[back]) - after > limit:
                good[rows[back : fall + 1]] = False
                break
    return good


def fill_broken(ns: NDArray[np.int64], ok: NDArray[np.bool_], last_ns: int) -> NDArray[np.int64]:
    """Give each row whose time could not be read the time of the row before it."""
    if ok.all():
        return ns
    held = np.maximum.accumulate(np.where(ok, np.arange(len(ns)), -1))
    return np.where(held >= 0, ns[np.maximum(held, 0)], last_ns)


def share_behind(ns: NDArray[np.int64], codes: NDArray[np.intp] | None) -> float:
    """Return the share of rows that come after a later row of the same device."""
    if not len(ns):
        return 0.0
    if codes is None:
        return float((ns < np.maximum.accumulate(ns)).mean())
    behind = 0
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        behind += int(np.count_nonzero(ns[rows] < np.maximum.accumulate(ns[rows])))
    return behind / len(ns)
