"""Clock: how a table tells the time, from the cells of its time columns to nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.column import NO_TIME, Cells
from bimetal.wire.table.stamp import DAY_NS, days_of, read_counts, read_stamps

Kind: TypeAlias = Literal["stamp", "count", "parts", "instant", "row"]
Instants: TypeAlias = tuple[NDArray[np.int64], NDArray[np.bool_]]

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
PARTS = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True, slots=True)
class Clock:
    """Which columns tell the time, and how they are read.

    `stamp`: text, as `orders` says for each; two columns are a date and a time of day. `count`: a number
    of `unit_ns` since `origin_ns`. `parts`: a column for each of `parts`, the first of which may
    be a whole date. `instant`: typed time stamps. `row`: no time; rows are `unit_ns` apart.
    `daily` says that only the time of day is known, which starts anew at midnight.
    `text_place` is the column whose text a row's time is written as, where that is another one.
    `said` tells a user how time is read.
    """

    kind: Kind
    places: tuple[int, ...] = ()
    orders: tuple[str, ...] = ("dmy",)
    unit_ns: int = SECOND_NS
    origin_ns: int = 0
    parts: tuple[str, ...] = ()
    daily: bool = False
    text_place: int = -1
    said: str = ""

    @property
    def reads(self) -> tuple[int, ...]:
        """Every column it needs, in the order `read` takes them."""
        extra = (self.text_place,) if self.text_place >= 0 else ()
        return self.places + extra

    def read(self, cells: Sequence[Cells], first_row: int, rows: int) -> Instants:
        """Return (ns since 1970 UTC, which rows could be read) of rows from `first_row` on."""
        if self.kind == "row":
            numbers = np.arange(first_row, first_row + rows, dtype=np.int64)
            return numbers * self.unit_ns, np.ones(rows, dtype=np.bool_)
        if self.kind == "instant" and cells[0].ns is not None:
            ok = cells[0].ns != NO_TIME
            return np.where(ok, cells[0].ns, 0), ok
        if self.kind == "count":
            ns, ok = read_counts(cells[0].as_text(), self.unit_ns, self.origin_ns)
            return (ns + MS_NS // 2) // MS_NS * MS_NS if self.unit_ns == DAY_NS else ns, ok
        if self.kind == "parts":
            return self._parts(cells)
        orders = self.orders + self.orders[-1:] * (len(self.places) - len(self.orders))
        stamps = [read_stamps(c.as_text(), o) for c, o in zip(cells, orders, strict=False)]
        ns, ok = stamps[0].ns, stamps[0].ok
        for more in stamps[1:]:
            ns, ok = ns + more.ns, ok & more.ok
        return ns, ok

    def write(self, cells: Sequence[Cells], first_row: int, rows: int) -> NDArray[np.bytes_]:
        """Return the text of each row's time as the file has it; the row's number where there is none."""
        if self.kind == "row":
            return np.arange(first_row, first_row + rows).astype(np.bytes_)
        shown = [cells[-1]] if self.text_place >= 0 else cells
        whole = shown[0].as_text()
        for more in shown[1:]:
            whole = np.strings.add(
                np.strings.add(np.strings.strip(whole), b" "), np.strings.strip(more.as_text())
            )
        return whole

    def _parts(self, cells: Sequence[Cells]) -> Instants:
        part: dict[str, NDArray[np.int64]] = {}
        ok = np.ones(len(cells[0]), dtype=np.bool_)
        for name, column in zip(self.parts, cells, strict=False):
            if name == "date":
                stamps = read_stamps(column.as_text(), self.orders[0])
                part[name], fine = stamps.ns, stamps.ok
            else:
                part[name], fine = read_counts(column.as_text(), 1, 0)
            ok &= fine
        zero = np.zeros(len(ok), dtype=np.int64)
        if "date" in part:
            day_ns = part["date"]
        else:
            year, month, day = part["year"], part.get("month", zero + 1), part.get("day", zero + 1)
            ok &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year > 0) & (year < 2250)
            year = np.where(year < 100, year + 2000, year)
            day_ns = days_of(np.where(ok, year, 1970), np.where(ok, month, 1), np.where(ok, day, 1)) * DAY_NS
        hour, minute, second = (part.get(name, zero) for name in ("hour", "minute", "second"))
        ok &= (hour >= 0) & (hour <= 24) & (minute >= 0) & (minute <= 60) & (second >= 0) & (second <= 60)
        return day_ns + ((hour * 60 + minute) * 60 + second) * SECOND_NS, ok


def period_of(steps: NDArray[np.int64] | NDArray[np.float64]) -> int:
    """Return the usual of the steps between rows in nanoseconds: the median of those forward.

    Where most stamps repeat, because they are coarser than the sampling, it is that median shared
    out among the rows of a stamp.
    """
    forward = steps[steps > 0]
    if not len(forward):
        return 0
    usual = float(np.median(forward))
    if len(forward) * 2 >= len(steps):
        return int(usual)
    return max(int(usual * len(forward) / len(steps)), 1)
