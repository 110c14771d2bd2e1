"""Quarantine: messages that could not be used, as they came, so that somebody can find out why.

Lines of JSON in a few files, together bounded: when there are too many, the oldest go, and are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import msgspec

from bimetal.keep.disk import make_folder, remove_durably, sweep_unfinished
from bimetal.keep.line_file import append_lines, drop_torn_line, keep_lines, whole_lines
from bimetal.keep.mention import mentions

MOST_BYTES = 64 << 20
_FILES = 8
"""The oldest of so many files goes at a time."""


class Refused(msgspec.Struct, frozen=True):
    """A message as it came: when (nanoseconds since 1970 UTC), under which topic, from whom, and why not."""

    time_ns: int
    topic: str
    client: str
    reason: str
    payload: bytes


class _Line(msgspec.Struct):
    number: int
    refused: Refused


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message that was refused, and the how-manieth it was."""

    number: int
    refused: Refused


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Messages in the order they came, how many others were there and went, and lines that cannot be read."""

    messages: tuple[Numbered, ...]
    gone: int
    damaged: int


class Quarantine:
    """The refused messages of one folder, at most `most_bytes` of them on disk."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._lock = Lock()
        make_folder(folder)
        sweep_unfinished(folder)
        for path in _files(folder):
            drop_torn_line(path)
        last = whole_lines(_files(folder)[-1]) if _files(folder) else []
        self._next = 1 + max((read.number for line in last if (read := _line_of(line))), default=0)

    def append(self, refused: Iterable[Refused]) -> None:
        """Keep messages; returns when a power cut could not lose them.

        The oldest go when there is no room left for them. Raises Unsupported when the disk is full,
        NotAllowed when it cannot be written.
        """
        with self._lock:
            waiting: list[bytes] = []
            for message in refused:
                line = _Line(self._next + len(waiting), _readable(message))
                waiting.append(msgspec.json.encode(line) + b"\n")
                if sum(map(len, waiting)) > self._most_bytes // _FILES:
                    self._write(waiting)
                    waiting = []
            if waiting:
                self._write(waiting)

    def _write(self, lines: list[bytes]) -> None:
        files, size = _files(self.folder), sum(map(len, lines))
        if not files or files[-1].stat().st_size + size > self._most_bytes // _FILES:
            files.append(self.folder / f"{self._next:016d}.jsonl")
        append_lines(files[-1], b"".join(lines))
        self._next += len(lines)
        sizes = [path.stat().st_size for path in files]
        while len(files) > 1 and sum(sizes) > self._most_bytes:
            remove_durably([files.pop(0)])
            sizes.pop(0)

    def read(self) -> Quarantined:
        """Return all that is there."""
        return read_quarantine(self.folder)

    def forget_before(self, time_ns: int) -> int:
        """Remove messages from before an instant; returns how many went."""
        return self._rewrite(lambda message: message.time_ns >= time_ns)

    def erase(self, device: str) -> int:
        """Remove every message in which a device is named, and damaged lines; returns how many went."""
        named = mentions(device)

        def stays(message: Refused) -> bool:
            texts = [text.encode() for text in (message.topic, message.client, message.reason)]
            return not any(map(named, (message.payload, *texts)))

        return self._rewrite(stays)

    def _rewrite(self, stays: Callable[[Refused], bool]) -> int:
        def line_stays(line: bytes) -> bool:
            read = _line_of(line)
            return read is not None and stays(read.refused)

        with self._lock:
            return sum(keep_lines(path, line_stays) for path in _files(self.folder))


def read_quarantine(folder: Path) -> Quarantined:
    """Return what a folder holds, beside whoever writes it."""
    found: list[Numbered] = []
    damaged = 0
    for path in _files(folder):
        for line in whole_lines(path):
            read = _line_of(line)
            if read is None:
                damaged += 1
            else:
                found.append(Numbered(read.number, read.refused))
    last = max((m.number for m in found), default=0)
    return Quarantined(tuple(found), max(0, last - len(found) - damaged), damaged)


def _readable(message: Refused) -> Refused:
    topic, client, reason = (
        text.encode("utf-8", "backslashreplace").decode()
        for text in (message.topic, message.client, message.reason)
    )
    return Refused(message.time_ns, topic, client, reason, message.payload)


def _line_of(line: bytes) -> _Line | None:
    try:
        return msgspec.json.decode(line, type=_Line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.jsonl") if p.stem.isdigit())
