"""Stamp: instants written as text, read by the thousand.

The civil calendar follows Howard Hinnant, "chrono-compatible low-level date algorithms" (2013);
the forms of ISO 8601 are read, and those that people and spreadsheets write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.bag import bag
from bimetal.wire.table.cell import Marks, number_of

Bytes = NDArray[np.bytes_]
Nanoseconds = NDArray[np.int64]

DAY_NS = 86_400_000_000_000
MOST_LAYOUTS = 400
ORDERS = ("dmy", "mdy", "ymd", "hms")
"""How three numbers such as 10.11.12 may run; which one holds is found out from the data."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """Instants of a column: `ns` since 1970 UTC, `ok` where the cell could be read.

    `dated` and `zoned` say whether every cell that could be read has a date, an offset from
    UTC, `timed` whether any has a time of day; without a date `ns` counts from midnight.
    """

    ns: Nanoseconds
    ok: NDArray[np.bool_]
    dated: bool
    timed: bool
    zoned: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the numbers of a stamp stand in its text, for all cells that differ in digits alone.

    `fields` holds (field, first byte, last byte + 1); what is the same in all of them,
    such as the name of a month, is in `month`, `noon` (hours to add) and `west` (sign of the offset).
    """

    fields: tuple[tuple[str, int, int], ...]
    month: int = 0
    noon: int = -1
    west: int = 1

    @property
    def names(self) -> frozenset[str]:
        """Which fields there are."""
        return frozenset(name for name, _, _ in self.fields)

    def read(self, digits: NDArray[np.uint8]) -> tuple[Nanoseconds, NDArray[np.bool_]]:
        """Return (ns, ok) of cells given as bytes, shape (width, cells)."""
        part = {name: _number(digits[first:last]) for name, first, last in self.fields}
        zero = np.zeros(digits.shape[1], dtype=np.int64)
        day_ns, ok = self._date(part, zero)
        hour, minute, second = (part.get(name, zero) for name in ("hour", "minute", "second"))
        ok &= (minute < 60) & (second <= 60) & (hour <= 24)
        if self.noon >= 0:
            ok &= (hour >= 1) & (hour <= 12)
            hour = hour % 12 + self.noon
        away = self.west * (part.get("zone_hour", zero) * 60 + part.get("zone_minute", zero))
        ns = day_ns + ((hour * 60 + minute - away) * 60 + second) * 1_000_000_000
        if "fraction" in part:
            width = next(last - first for name, first, last in self.fields if name == "fraction")
            ns += part["fraction"] * 10 ** (9 - width)
        return ns, ok

    def _date(self, part: dict[str, Nanoseconds], zero: Nanoseconds) -> tuple[Nanoseconds, NDArray[np.bool_]]:
        if "year" not in part:
            return zero, np.ones(len(zero), dtype=np.bool_)
        year, day = part["year"], part["day"]
        if next(last - first for name, first, last in self.fields if name == "year") == 2:
            year = year + np.where(year < 70, 2000, 1900)
        month = part.get("month", zero + self.month)
        ok = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1700) & (year <= 2250)
        month = np.where(ok, month, 1)
        if day.max(initial=0) > 28:
            ok &= day <= _days_in(year, month)
        days = days_of(np.where(ok, year, 1970), month, np.where(ok, day, 1))
        return days * DAY_NS, ok


def read_stamps(cells: Bytes, order: str) -> Stamps:
    """Read instants written as text; `order` says how three numbers run (see ORDERS)."""
    ns = np.zeros(len(cells), dtype=np.int64)
    ok = np.zeros(len(cells), dtype=np.bool_)
    names: list[frozenset[str]] = []
    for form, rows, digits in _forms(cells):
        layout = _layout(form, order)
        if layout:
            ns[rows], ok[rows] = layout.read(digits)
            if ok[rows].any():
                names.append(layout.names)
    dated = bool(names) and all("year" in n for n in names)
    timed = any("hour" in n for n in names)
    return Stamps(ns, ok, dated, timed, bool(names) and all("zone" in n for n in names))


def read_counts(cells: Bytes, unit_ns: int, origin_ns: int) -> tuple[Nanoseconds, NDArray[np.bool_]]:
    """Read instants written as a number of units since an origin; return (ns since 1970, ok)."""
    ns = np.zeros(len(cells), dtype=np.int64)
    ok = np.zeros(len(cells), dtype=np.bool_)
    for form, rows, digits in _forms(cells):
        found = _COUNT.fullmatch(form)
        if found:
            ns[rows], ok[rows] = _counted(digits, found, unit_ns, origin_ns)
        else:
            ns[rows], ok[rows] = _odd_counts(cells[rows], unit_ns, origin_ns)
    return ns, ok


def _forms(cells: Bytes) -> Iterator[tuple[str, NDArray[np.intp] | slice, NDArray[np.uint8]]]:
    """Yield cells that differ in digits alone: (their form, which rows, their bytes (width, rows))."""
    width = max(cells.dtype.itemsize, 1)
    matrix = np.ascontiguousarray(cells).view(np.uint8).reshape(len(cells), width)
    columns = np.ascontiguousarray(matrix.T)
    forms = _DIGIT_TO_NINE[columns]
    if len(cells) and bool((forms == forms[:, :1]).all()):
        yield _form(forms[:, 0]), slice(None), columns
        return
    left = np.arange(len(cells))
    for _ in range(MOST_LAYOUTS):
        if not len(left):
            return
        same = (forms[:, left] == forms[:, left[:1]]).all(axis=0)
        rows = left[same]
        yield _form(forms[:, left[0]]), rows, columns[:, rows]
        left = left[~same]


def _form(column: NDArray[np.uint8]) -> str:
    return column.tobytes().rstrip(b"\0").decode("latin-1")


def days_of(year: Nanoseconds, month: Nanoseconds, day: Nanoseconds) -> Nanoseconds:
    """Return the days from 1970-01-01 to dates of the civil calendar."""
    y = year - (month <= 2)
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _counted(
    digits: NDArray[np.uint8], found: re.Match[str], unit_ns: int, origin_ns: int
) -> tuple[Nanoseconds, NDArray[np.bool_]]:
    whole = _number(digits[found.start("whole") : found.end("whole")])
    ok = whole.astype(np.float64) * unit_ns + origin_ns < 9e18
    ns = np.where(ok, whole, 0) * unit_ns
    if found["fraction"]:
        part = _number(digits[found.start("fraction") : found.end("fraction")])
        ns += np.rint(part / 10.0 ** len(found["fraction"]) * unit_ns).astype(np.int64)
    return (-ns if found["sign"] == "-" else ns) + origin_ns, ok


def _odd_counts(cells: Bytes, unit_ns: int, origin_ns: int) -> tuple[Nanoseconds, NDArray[np.bool_]]:
    said = [number_of(cell.decode("utf-8", "replace"), Marks()) for cell in cells]
    values = np.array([np.nan if v is None else v for v in said]) * unit_ns + origin_ns
    ok = np.abs(values) < 9e18
    return np.where(ok, values, 0).astype(np.int64), ok


def _number(digits: NDArray[np.uint8]) -> Nanoseconds:
    value = np.zeros(digits.shape[1], dtype=np.int32 if len(digits) < 10 else np.int64)
    for column in digits:
        value *= 10
        value += column & 15
    return value.astype(np.int64)


def _days_in(year: Nanoseconds, month: Nanoseconds) -> Nanoseconds:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return np.array(_MONTH_DAYS, dtype=np.int64)[month] + (leap & (month == 2))


@lru_cache(maxsize=4096)
def _layout(form: str, order: str) -> Layout | None:
    """Find what the numbers of a stamp mean from its form, where each digit is written as 9."""
    for pattern in _patterns():
        found = pattern.fullmatch(form)
        if not found:
            continue
        spans = {name: found.span(name) for name, text in found.groupdict().items() if text is not None}
        month = 0
        if "name" in spans:
            month = _MONTHS.get(found["name"][:3].lower(), 0)
            if not month:
                continue
        return Layout(_fields(spans, order), month, _noon(spans, form), _west(spans, form))
    return None


def _fields(spans: dict[str, tuple[int, int]], order: str) -> tuple[tuple[str, int, int], ...]:
    if "a" in spans:
        given = "dmy" if order in ("ymd", "hms") and spans["c"][1] - spans["c"][0] == 4 else order
        meaning = _HMS if given == "hms" else _DMY
        spans = spans | {meaning[letter]: spans[spot] for letter, spot in zip(given, "abc", strict=True)}
    return tuple((name, *span) for name, span in spans.items() if name in _FIELDS)


def _noon(spans: dict[str, tuple[int, int]], form: str) -> int:
    if "half" not in spans:
        return -1
    return 12 if form[spans["half"][0]].lower() == "p" else 0


def _west(spans: dict[str, tuple[int, int]], form: str) -> int:
    return -1 if "sign" in spans and form[spans["sign"][0]] == "-" else 1


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], ...]:
    zone = (
        r"(?:\s*(?P<zone>[Zz]|UTC|GMT|(?:UTC|GMT)?(?P<sign>[+-])(?P<zone_hour>99):?(?P<zone_minute>99)?)"
        r"|\s[A-Z]{3,4})?(?:\[[\w/]+\])?"
    )
    clock = (
        r"(?P<hour>99?)(?P<mark>[:.h])(?P<minute>99?)(?:(?P=mark)(?P<second>99?)(?:[.,:](?P<fraction>9{1,9})9*)?)?"
        r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?"
    )
    compact = r"(?P<hour>99)(?P<minute>99)(?P<second>99)?(?:\.(?P<fraction>9{1,9}))?"
    year_first = r"(?P<year>9999)(?P<dash>[-/.])(?P<month>99?)(?P=dash)(?P<day>99?)"
    named = r"(?P<name>[^\W\d_]{3,10})\.?"
    dates = (
        year_first,
        r"(?P<a>99?)(?P<dash>[-/.])(?P<b>99?)(?P=dash)(?P<c>9999|99)\.?",
        rf"(?P<day>99?)\.?[-/ ]?{named}[-/, ]*(?P<year>9999|99)",
        rf"{named}[ ]+(?P<day>99?)(?:st|nd|rd|th)?,?[ ]+(?P<year>9999)",
        rf"(?P<year>9999)[-/ ]{named}[-/ ](?P<day>99?)",
    )
    day = r"\s*(?:[^\W\d_]{2,10}\.?,?\s+)?"
    between = r"(?:\s*[T,;_]\s*|\s+(?:at\s+)?|[-:](?=99[:.]))"
    full = [rf"{day}{date}(?:{between}{clock}{zone})?\s*" for date in dates]
    full.append(rf"\s*(?P<year>9999)(?P<month>99)(?P<day>99)(?:[T _-]?{compact}{zone})?\s*")
    full.append(rf"\s*(?P<year>9999)-?(?P<month>99)-?(?P<day>99)[T ]{compact}{zone}\s*")
    full.append(rf"\s*(?P<year>9999)(?P<month>99)(?P<day>99)[T ]{clock}{zone}\s*")
    full.append(rf"{day}{named}[ ]+(?P<day>99?)[ ]+{clock}(?:\s[A-Z]{{3,4}})?[ ]+(?P<year>9999)\s*")
    full.append(rf"\s*{clock}\s*")
    return tuple(re.compile(pattern) for pattern in full)


_DMY = {"d": "day", "m": "month", "y": "year"}
_HMS = {"h": "hour", "m": "minute", "s": "second"}
_FIELDS = bag("year month day hour minute second fraction zone_hour zone_minute zone")
_COUNT = re.compile(r"\s*(?P<sign>[+-]?)(?P<whole>9{1,18})(?:[.,](?P<fraction>9{0,12})9*)?\s*")
_MONTH_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DIGIT_TO_NINE = np.array([57 if 48 <= c <= 57 else c for c in range(256)], dtype=np.uint8)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan ene", "feb fev", "mar mrz", "apr abr avr", "may mai maj", "jun jui", "jul juil",
         "aug ago", "sep set", "oct okt", "nov", "dec dez dic"), start=1
    )
    for name in names.split()
}  # fmt: skip
