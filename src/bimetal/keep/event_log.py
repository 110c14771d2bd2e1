"""Event log: every event that was said, durable, one file a day, one line each (see event_line.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import msgspec

from bimetal.keep.asked import EARLIEST_NS, LATEST_NS
from bimetal.keep.disk import make_folder, sweep_unfinished
from bimetal.keep.event_line import from_line, time_ns_of, time_text, to_line
from bimetal.keep.line_file import append_lines, drop_torn_line, keep_lines, whole_lines
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Event

_DAY_NS = 86_400_000_000_000
Goes = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Told:
    """Events in the order of time, and how many lines could not be read."""

    events: tuple[Event, ...]
    damaged: int


class _Id(msgspec.Struct):
    id: str = ""


class EventLog:
    """Events in a folder, one file for each UTC day they are about: `2026-01-31.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        make_folder(folder)
        sweep_unfinished(folder)
        for path in _files(self.folder):
            drop_torn_line(path)

    def append(self, events: Iterable[Event]) -> None:
        """Keep events; returns when a power cut could not lose them.

        Raises Unsupported when the disk is full, NotAllowed when it cannot be written; then those
        of the same day are not kept.
        """
        days: dict[str, list[bytes]] = {}
        for event in events:
            days.setdefault(time_text(event.time_ns)[:10], []).append(to_line(event) + b"\n")
        with self._lock:
            for day, lines in days.items():
                append_lines(self.folder / f"{day}.jsonl", b"".join(lines))

    def read(self, since_ns: int = EARLIEST_NS, until_ns: int = LATEST_NS, device: str | None = None) -> Told:
        """Return the events with since <= time < until, of one device or of all."""
        return read_events(self.folder, since_ns, until_ns, device)

    def ids_after(self, sequence: int) -> frozenset[str]:
        """Return the ids of the events that were said of batches after a sequence number."""
        found: set[str] = set()
        for path in _files(self.folder):
            for line in reversed(whole_lines(path)):
                number, event_id = _id_of(line)
                if number is None:
                    continue
                if number <= sequence:  # lines are in the order of batches
                    break
                found.add(event_id)
        return frozenset(found)

    def forget_before(self, time_ns: int) -> int:
        """Remove the events from before an instant; returns how many lines went."""
        return self._rewrite(lambda event: event.time_ns < time_ns, until_ns=time_ns)

    def erase(self, device: str) -> int:
        """Remove a device's events, and damaged lines, which might be its; returns how many lines went."""
        return self._rewrite(lambda event: event.device == device)

    def _rewrite(self, goes: Goes, until_ns: int = LATEST_NS) -> int:
        gone = 0
        with self._lock:
            for path in _files(self.folder):
                if _day_ns(path) >= until_ns:
                    continue
                gone += keep_lines(path, lambda line: not _goes(line, goes))
        return gone


def read_events(
    folder: Path, since_ns: int = EARLIEST_NS, until_ns: int = LATEST_NS, device: str | None = None
) -> Told:
    """Return the events of a folder with since <= time < until, beside whoever writes them."""
    found: list[Event] = []
    damaged = 0
    for path in _files(folder):
        day = _day_ns(path)
        if day + _DAY_NS <= since_ns or day >= until_ns:
            continue
        for line in whole_lines(path):
            try:
                event = from_line(line)
            except BadInput:
                damaged += 1
                continue
            if since_ns <= event.time_ns < until_ns and device in (None, event.device):
                found.append(event)
    return Told(tuple(sorted(found, key=lambda e: e.time_ns)), damaged)


def _id_of(line: bytes) -> tuple[int | None, str]:
    """Return the number of the batch an event is about, and its id; no number for a damaged line."""
    try:
        event_id = msgspec.json.decode(line, type=_Id).id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None, ""
    number = event_id.partition(":")[0]
    return (int(number) if number.isascii() and number.isdigit() else 0), event_id


def _files(folder: Path) -> Sequence[Path]:
    return sorted(p for p in folder.glob("????-??-??.jsonl") if _is_day(p))


def _goes(line: bytes, goes: Goes) -> bool:
    try:
        return goes(from_line(line))
    except BadInput:
        return True


def _day_ns(path: Path) -> int:
    return time_ns_of(f"{path.stem}T00:00:00Z")


def _is_day(path: Path) -> bool:
    try:
        _day_ns(path)
    except BadInput:
        return False
    return True
