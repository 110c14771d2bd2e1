"""Known: a CSV of what was wrong when, and with which signals, for data that have no label column."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.blame import Blame
from bimetal.nouns.errors import BadInput, NotFound

FORMS = (("start", "end"), ("first", "last"))
HINT = "Its columns are start,end (times) or first,last (rows from 0), and if need be device and signals"
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """One line: from when to when, both included, in nanoseconds or rows; whose; signals by number."""

    begin: int
    end: int
    device: str
    signals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What was wrong when: `by_row` says that it counts rows of the device, not time."""

    where: str
    by_row: bool
    troubles: tuple[Trouble, ...]

    def labels(self, device: str, time_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[Blame, ...]]:
        """Return the labels (n,) of a device's rows, and what its events were due to, where that is told."""
        at = np.arange(len(time_ns)) if self.by_row else time_ns
        labels, blames = np.zeros(len(time_ns), np.int64), list[Blame]()
        for trouble in self.troubles:
            rows = np.flatnonzero((at >= trouble.begin) & (at <= trouble.end))
            if trouble.device not in ("", device) or not len(rows):
                continue
            labels[rows] = 1
            if trouble.signals:
                blames.append(Blame(int(rows[0]), int(rows[-1]), trouble.signals))
        return labels, tuple(blames)

    def check(self, devices: Sequence[str], time_ns: Mapping[str, NDArray[np.int64]]) -> list[str]:
        """Return notes on events outside of the data; raises BadInput for a device that is not in them."""
        for trouble in self.troubles:
            if trouble.device and trouble.device not in devices:
                near = difflib.get_close_matches(trouble.device, devices, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(devices[:8])}"
                raise BadInput(f"the data have no device {trouble.device!a}", where=self.where, hint=hint)
        outside = sum(not self._met(t, time_ns) for t in self.troubles)
        return [f"{self.where}: {outside:,} of {len(self.troubles):,} events lie outside of the data"] * bool(
            outside
        )

    def _met(self, trouble: Trouble, time_ns: Mapping[str, NDArray[np.int64]]) -> bool:
        for device, times in time_ns.items():
            if trouble.device in ("", device):
                at = np.arange(len(times)) if self.by_row else times
                if bool(((at >= trouble.begin) & (at <= trouble.end)).any()):
                    return True
        return False


def known_of(path: Path, signals: Sequence[str]) -> Known:
    """Read the file; `signals` are the model's, which its last column may name with ; between.

    Raises NotFound when there is none, and BadInput with the line for whatever cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(path), hint=HINT) from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BadInput("it cannot be read as CSV in UTF-8", where=str(path), hint=HINT) from None
    head = [cell.strip().casefold() for cell in rows[0]] if rows else []
    form = next((f for f in FORMS if set(f) <= set(head)), None)
    if form is None or set(head) - {*form, "device", "signals"} or len(rows) > MOST:
        raise BadInput("it is no list of events", where=str(path), hint=HINT)
    by_row = form[0] == "first"
    found = [
        _trouble(dict(zip(head, row, strict=False)), form, f"{path}, line {line}", by_row, signals)
        for line, row in enumerate(rows[1:], 2)
        if any(cell.strip() for cell in row)
    ]
    return Known(str(path), by_row, tuple(found))


def _trouble(
    cells: dict[str, str], form: tuple[str, str], where: str, by_row: bool, signals: Sequence[str]
) -> Trouble:
    begin, end = (_instant(cells.get(name, ""), where, by_row) for name in form)
    if end < begin:
        raise BadInput("it ends before it begins", where=where)
    named = [part.strip() for part in cells.get("signals", "").split(";") if part.strip()]
    return Trouble(
        begin, end, cells.get("device", "").strip(), tuple(_place(n, signals, where) for n in named)
    )


def _instant(cell: str, where: str, by_row: bool) -> int:
    try:
        if by_row:
            return int(cell)
        when = datetime.fromisoformat(cell.strip())
    except ValueError:
        kind = "number of a row" if by_row else "time as 2026-01-31T12:00:00"
        raise BadInput(f"{cell[:40]!a} is no {kind}", where=where) from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _place(name: str, signals: Sequence[str], where: str) -> int:
    if name in signals:
        return signals.index(name)
    near = difflib.get_close_matches(name, signals, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(signals[:8])}"
    raise BadInput(f"{name!a} is no signal of the model", where=where, hint=hint)
