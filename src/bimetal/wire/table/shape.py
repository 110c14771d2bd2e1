"""Shape: what was found out about a table, and what was met while reading it, for people to read."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.nouns.signal import Signal

SHOWN = 8


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
    `notes` are sentences worth a user's attention.
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

    def words(self) -> list[str]:
        """Say what was found, one line for each thing."""
        lines = [f"{self.where}: {self._written()}"]
        lines.append(f"time: {self.time or 'none'} ({self.time_said}), {self._rhythm()}")
        if self.device:
            lines.append(f"device: {self.device}")
        if self.label:
            lines.append(f"label: {self.label} (rows it marks are not learned from)")
        lines.append(f"signals: {len(self.signals)}: {', '.join(s.label for s in self.signals)}")
        for reason in dict.fromkeys(d.reason for d in self.dropped):
            names = [d.name for d in self.dropped if d.reason == reason]
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            lines.append(f"left out, {reason}: {', '.join(names[:SHOWN])}{more}")
        return [*lines, *(f"note: {note}" for note in self.notes)]

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

    def words(self) -> list[str]:
        """Say what was met, one line for each thing worth saying."""
        lines = [f"rows: {self.rows:,}" + (f" of {self.devices} devices" if self.devices > 1 else "")]
        if self.gaps:
            lines.append(f"gaps: {self.gaps:,}, the longest {length(self.longest_gap_s)}")
        for count, said in (
            (self.repeated, "time stamps repeat the one before"),
            (self.backward, "time stamps go back and were set to the one before"),
            (
                self.broken,
                "time stamps could not be read or leap far ahead; their rows have the time before them",
            ),
            (self.missing, "values are missing"),
            (self.bad, "of them were no numbers"),
            (self.infinite, "of them were infinite"),
            (self.coded, "of them held a number that stands for missing"),
            (self.mended, "rows had too many or too few cells; what they lack is missing"),
            (self.late, "readings came too late for their row and were left out"),
        ):
            if count:
                lines.append(f"{count:,} {said}")
        return lines


def length(seconds: float) -> str:
    """Say how long a time is: `5 min`, `0.25 s`, `3.2 days`."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"
