"""A ring of readings: the newest rows of one device, older ones forgotten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Ring:
    """The newest `rows` rows of `columns` values each, with their times.

    `written` counts every row ever accepted; it is the mark a listener keeps so that it
    can ask for what came after. Rows older than the newest one held are refused, because
    a chart cannot go back in time.
    """

    __slots__ = ("_time_ns", "_values", "written")

    def __init__(self, rows: int, columns: int) -> None:
        self._time_ns: NDArray[np.int64] = np.zeros(rows, np.int64)
        self._values: NDArray[np.float64] = np.full((rows, columns), np.nan)
        self.written = 0

    @property
    def newest_ns(self) -> int | None:
        """The time of the newest row, None when there is none yet."""
        return int(self._time_ns[(self.written - 1) % len(self._time_ns)]) if self.written else None

    def append(self, time_ns: NDArray[np.int64], values: NDArray[np.float64]) -> int:
        """Take rows in, (n,) times and (n, columns) values; return how many were too old to take."""
        newest = self.newest_ns
        if newest is not None and len(time_ns) and time_ns[0] < newest:
            fresh = time_ns >= newest
            late = len(time_ns) - int(np.count_nonzero(fresh))
            time_ns, values = time_ns[fresh], values[fresh]
        else:
            late = 0
        room = len(self._time_ns)
        kept = min(len(time_ns), room)
        skipped = len(time_ns) - kept
        at = (self.written + skipped + np.arange(kept)) % room
        self._time_ns[at] = time_ns[skipped:]
        self._values[at] = values[skipped:]
        self.written += len(time_ns)
        return late

    def widen(self, columns: int) -> None:
        """Hold so many values a row from now on; rows held already lack the new ones."""
        missing = columns - self._values.shape[1]
        self._values = np.pad(self._values, ((0, 0), (0, missing)), constant_values=np.nan)

    def after_mark(self, mark: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return copies of the rows written after `mark`, as far as they are still held."""
        first = max(mark, self.written - len(self._time_ns), 0)
        at = np.arange(first, max(first, self.written)) % len(self._time_ns)
        return self._time_ns[at], self._values[at]

    def after_time(self, time_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return copies of the rows later than `time_ns`."""
        times, values = self.after_mark(0)
        first = int(np.searchsorted(times, time_ns, side="right"))
        return times[first:], values[first:]
