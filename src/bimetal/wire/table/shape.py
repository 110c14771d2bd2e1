"""Shape: what was found out about a table, and what was met while reading it, for people to read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bimetal.explain.sentence import unit_text
from bimetal.nouns.signal import Signal

SHOWN = 8
LEAST_CALENDAR_NS = 10**16
"""Instants in the first months of 1970 are counted from some start, and no time on the calendar."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A column that is no signal, and why, in words."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class TableShape:
    """What was found out about a table before reading it through.

    `format` is CSV or Parquet; `encoding`, `separator` and `decimal` are empty where the format
    has none. `time` names the time column or columns, empty when rows are merely counted, and
    `time_said` how they are read. `period_s` is the usual step in seconds and `regular` the share
    of steps within a tenth of it. `device` and `label` name columns or are None. `rows_looked_at`
    were judged, `whole` says that they are all there are; `rows_guess` estimates the total.
    `notes` are sentences worth a user's attention. `columns` are all headings, in their order.
    """

    where: str
    format: str
    encoding: str
    separator: str
    decimal: str
    header: bool
    time: str
    time_said: str
    period_s: float
    regular: float
    device: str | None
    label: str | None
    signals: tuple[Signal, ...]
    dropped: tuple[Dropped, ...]
    rows_looked_at: int
    rows_guess: int
    whole: bool
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """Say what was found, one line for each thing."""
        lines = [f"{self.where}: {self._written()}"]
        told = f"{self.time} ({self.time_said}), {self._rhythm()}"
        lines.append(f"time: {told if self.time else self.time_said}")
        if self.device:
            lines.append(f"device: {self.device}")
        if self.label:
            lines.append(f"label: {self.label} (rows it marks are not learned from)")
        lines.append(f"signals, {len(self.signals)}: {listed([labelled(s) for s in self.signals])}")
        lines += self._left_out()
        return [*lines, *(f"note: {note}" for note in self.notes)]

    def _left_out(self) -> list[str]:
        """Say which columns are no signals, one line for each reason."""
        reasons: dict[str, list[str]] = {}
        for column in self.dropped:
            if column.name == self.label:
                continue  # said above
            constant = _CONSTANT.fullmatch(column.reason)
            reason, name = (
                ("constant", f"{column.name} = {constant[1]}") if constant else (column.reason, column.name)
            )
            reasons.setdefault(reason, []).append(name)
        return [f"left out, {reason}: {listed(names, SHOWN)}" for reason, names in reasons.items()]

    def _written(self) -> str:
        if not self.separator:
            return self.format
        mark = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}[self.separator]
        decimal = ", decimal comma" if self.decimal == "," else ""
        return f"{self.format} in {self.encoding} with {mark}{decimal}{'' if self.header else ', no header'}"

    def _rhythm(self) -> str:
        if not self.period_s:
            return "step unknown"
        even = f"{self.regular:.0%} of steps even" if self.regular < 0.995 else "even"
        return f"every {length(self.period_s)}, {even}"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was met while reading; complete once the table has been read through.

    `repeated` and `backward` count time stamps equal to and before the last one of their device;
    backward ones were set to the last one. `broken` could not be read and got the time before
    them. `missing` counts cells without a value (`bad` of them were no numbers, `infinite` were
    infinite, `coded` held a number that stands for missing). `mended` rows had too many or too
    few cells. `late` readings of a long table came too late for their row and are not in it.
    `label_words` are the words of the label column, with how often each is there.
    """

    rows: int = 0
    gaps: int = 0
    longest_gap_s: float = 0.0
    repeated: int = 0
    backward: int = 0
    broken: int = 0
    missing: int = 0
    bad: int = 0
    infinite: int = 0
    coded: int = 0
    mended: int = 0
    late: int = 0
    devices: int = 0
    first_ns: int = 0
    last_ns: int = 0
    label_words: tuple[tuple[str, int], ...] = ()

    def words(self) -> list[str]:
        """Say what was met, one line for each thing worth saying."""
        devices = f" of {counted(self.devices, 'device')}" if self.devices > 1 else ""
        lines = [f"rows: {self.rows:,}{devices}{span(self.first_ns, self.last_ns)}", *self.troubles()]
        if self.gaps:
            lines.insert(1, f"gaps: {self.gaps:,}, the longest {length(self.longest_gap_s)}")
        return lines

    def troubles(self) -> list[str]:
        """Say what was wrong with rows and cells, one line for each thing."""
        lines = [
            counted(count, one, many)
            for count, one, many in (
                (self.repeated, "time stamp repeats the one before", "time stamps repeat the one before"),
                (
                    self.backward,
                    "time stamp goes back and was set to the one before",
                    "time stamps go back and were set to the one before",
                ),
                (
                    self.broken,
                    "time stamp could not be read or leaps far ahead; its row has the time before it",
                    "time stamps could not be read or leap far ahead; their rows have the time before them",
                ),
                (
                    self.mended,
                    "row had too many or too few cells; what it lacks is missing",
                    "rows had too many or too few cells; what they lack is missing",
                ),
                (
                    self.late,
                    "reading came too late for its row and was left out",
                    "readings came too late for their row and were left out",
                ),
            )
            if count
        ]
        return [*lines, self._gone()] if self.missing else lines

    def _gone(self) -> str:
        """Say how many values are missing, and why, as far as that is known."""
        causes = (
            (self.bad, "no number"),
            (self.infinite, "infinite"),
            (self.coded, "a number that stands for missing"),
        )
        known = ", ".join(f"{count:,} {cause}" for count, cause in causes if count)
        return counted(self.missing, "value is missing", "values are missing") + (
            f": {known}" if known else ""
        )


def span(first_ns: int, last_ns: int) -> str:
    """Say from when to when, as `, from 2020-02-08 13:30:47 to ...`, where time is one of the calendar."""
    if first_ns < LEAST_CALENDAR_NS:
        return ""
    first, last = (
        str(np.datetime64(ns, "ns").astype("datetime64[s]")).replace("T", " ") for ns in (first_ns, last_ns)
    )
    return f", from {first} to {last}"


def labelled(signal: Signal) -> str:
    """Return a signal's name with its unit, as people write it."""
    return f"{signal.name} [{unit_text(signal.unit)}]" if signal.unit else signal.name


def listed(names: Sequence[str], most: int = 24) -> str:
    """Return names with commas between them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def counted(count: int, one: str, many: str = "") -> str:
    """Say a number of things: `1 row`, `2,000 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def length(seconds: float) -> str:
    """Say how long a time is: `5 min`, `0.25 s`, `3.2 days`."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if seconds >= size * (2 if unit == "days" else 1):
            count = seconds / size
            return f"{count:,.0f} {unit}" if count >= 1000 else f"{count:.3g} {unit}"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


_CONSTANT = re.compile(r"constant \((.*)\)")
