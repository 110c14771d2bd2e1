"""Event log: every event that was said, durable, one file a day, one line each (see event_line.py)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from bimetal.keep.asked import EARLIEST_NS, LATEST_NS
from bimetal.keep.disk import (
    in_words,
    make_folder,
    refusal,
    remove_durably,
    sweep_unfinished,
    sync_data,
    sync_folder,
    write_all,
    write_whole,
)
from bimetal.keep.event_line import from_line, time_ns_of, time_text, to_line
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Event

_DAY_NS = 86_400_000_000_000
Goes = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Told:
    """Events in the order of time, and how many lines could not be read."""

    events: tuple[Event, ...]
    damaged: int


class EventLog:
    """Events in a folder, one file for each UTC day they are about: `2026-01-31.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        make_folder(folder)
        sweep_unfinished(folder)
        for path in self._files():
            _drop_torn_line(path)

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
                _append(self.folder / f"{day}.jsonl", b"".join(lines))

    def read(self, since_ns: int = EARLIEST_NS, until_ns: int = LATEST_NS, device: str | None = None) -> Told:
        """Return the events with since <= time < until, of one device or of all."""
        found: list[Event] = []
        damaged = 0
        for path in self._files():
            day = _day_ns(path)
            if day + _DAY_NS <= since_ns or day >= until_ns:
                continue
            with in_words(path):
                content = path.read_bytes()
            for line in content.splitlines():
                try:
                    event = from_line(line)
                except BadInput:
                    damaged += 1
                    continue
                if since_ns <= event.time_ns < until_ns and device in (None, event.device):
                    found.append(event)
        return Told(tuple(sorted(found, key=lambda e: e.time_ns)), damaged)

    def forget_before(self, time_ns: int) -> int:
        """Remove the events from before an instant; returns how many lines went."""
        return self._rewrite(lambda event: event.time_ns < time_ns, until_ns=time_ns)

    def erase(self, device: str) -> int:
        """Remove a device's events, and damaged lines, which might be its; returns how many lines went."""
        return self._rewrite(lambda event: event.device == device)

    def _rewrite(self, goes: Goes, until_ns: int = LATEST_NS) -> int:
        gone = 0
        with self._lock:
            for path in self._files():
                if _day_ns(path) >= until_ns:
                    continue
                with in_words(path):
                    lines = path.read_bytes().splitlines(keepends=True)
                stay = [line for line in lines if not _goes(line, goes)]
                gone += len(lines) - len(stay)
                if not stay:
                    remove_durably([path])
                elif len(stay) < len(lines):
                    write_whole(path, b"".join(stay))
        return gone

    def _files(self) -> Sequence[Path]:
        return sorted(p for p in self.folder.glob("????-??-??.jsonl") if _is_day(p))


def _append(path: Path, content: bytes) -> None:
    fresh = not path.exists()
    with in_words(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        end = os.fstat(handle).st_size
        try:
            write_all(handle, content)
            sync_data(handle)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(handle, end)
            raise refusal(error, path) from error
    finally:
        os.close(handle)
    if fresh:
        with in_words(path):
            sync_folder(path.parent)


def _drop_torn_line(path: Path) -> None:
    with in_words(path):
        content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        write_whole(path, content[: content.rfind(b"\n") + 1])


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
