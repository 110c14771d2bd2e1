"""Journal: the write-ahead log, where a batch is safe before anybody is told it arrived.

A file is the eight bytes of HEAD and then records. A record is, little-endian:

| bytes | what |
| --- | --- |
| 4 | MARK |
| 8 | sequence number |
| 4 | length of the content |
| 4 | CRC-32 of the content |
| 4 | CRC-32 of the 20 bytes before |
| length | content |
| 4 | END |

A record that was never finished (torn) lacks its END; one whose END is there but whose checksum
is wrong was damaged later. The first kind was never acknowledged and is left out; the second
may have been, and is never left out in silence.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bimetal.keep.disk import in_words, refusal, sync_data, sync_folder, write_all, write_whole
from bimetal.nouns.errors import BadInput, Unsupported

VERSION = 1
KIND = b"BMWAL\0"
HEAD = KIND + struct.pack("<H", VERSION)
MARK = b"\xb1rec"
END = b"\xb1end"
_FRONT = struct.Struct("<4sQII")
_CRC = struct.Struct("<I")
_BEFORE = _FRONT.size + _CRC.size
LARGEST = 1 << 30
"""No record is longer than this many bytes."""


@dataclass(frozen=True, slots=True)
class Record:
    """One batch as bytes, with its place in the order of arrival."""

    sequence: int
    content: bytes


@dataclass(slots=True)
class Found:
    """What a journal file holds: whole records, bytes of an unfinished one, places of damage."""

    records: list[Record] = field(default_factory=list[Record])
    torn_bytes: int = 0
    damaged_at: list[int] = field(default_factory=list[int])


class Journal:
    """One journal file being written; made new, never reopened for writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with in_words(path):
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                write_all(self._handle, HEAD)
                sync_data(self._handle)
                sync_folder(path.parent)
            except OSError:
                self.close()
                with suppress(OSError):
                    path.unlink()
                raise
        self._end = len(HEAD)

    def append(self, record: Record) -> None:
        """Write a record and return when it is durable.

        Raises Unsupported or NotAllowed when it cannot be; then the record does not count, and
        this journal must be closed, for nobody knows what of it reached the disk.
        """
        content = frame(record)
        try:
            write_all(self._handle, content)
            sync_data(self._handle)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._handle, self._end)
                sync_data(self._handle)
            raise refusal(error, self.path) from error
        self._end += len(content)

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def frame(record: Record) -> bytes:
    """Return a record as it lies in the file."""
    if len(record.content) > LARGEST:
        raise BadInput(f"a batch of {len(record.content)} bytes is too large", hint="Send smaller batches")
    front = _FRONT.pack(MARK, record.sequence, len(record.content), zlib.crc32(record.content))
    return b"".join((front, _CRC.pack(zlib.crc32(front)), record.content, END))


def write_journal(path: Path, records: Iterable[Record]) -> None:
    """Put a journal file of these records in place, whole or not at all."""
    write_whole(path, HEAD + b"".join(frame(r) for r in records))


def read_journal(path: Path) -> Found:
    """Read every record that is whole, in order.

    Raises Unsupported for a newer format, BadInput for a file that is no journal.
    """
    with in_words(path):
        content = path.read_bytes()
    found = Found()
    if content[: len(HEAD)] != HEAD:
        _check_head(path, content)
        found.torn_bytes = len(content)
        return found
    at = len(HEAD)
    while at < len(content):
        record, after = _record(content, at)
        if record is not None:
            found.records.append(record)
        elif after < 0:
            found.torn_bytes = len(content) - at
            break
        else:
            found.damaged_at.append(at)
        at = after
    return found


def _check_head(path: Path, content: bytes) -> None:
    if content.startswith(KIND) and len(content) >= len(HEAD):
        version = struct.unpack_from("<H", content, len(KIND))[0]
        raise Unsupported(
            f"this journal has format {version}, and this bimetal reads up to {VERSION}",
            where=str(path),
            hint="Install the bimetal that wrote it, or a newer one",
        )
    if not HEAD.startswith(content.rstrip(b"\0")):
        raise BadInput("this is not a journal of bimetal", where=str(path), hint="Move the file away")


def _record(content: bytes, at: int) -> tuple[Record | None, int]:
    """Return the record at a place and where the next begins: -1 after an unfinished one."""
    if len(content) - at < _BEFORE or not content[at : at + _BEFORE].strip(b"\0"):
        return None, -1
    mark, sequence, length, crc = _FRONT.unpack_from(content, at)
    sound = _CRC.unpack_from(content, at + _FRONT.size)[0] == zlib.crc32(content[at : at + _FRONT.size])
    if mark != MARK or not sound:
        return None, _next_mark(content, at)
    start = at + _BEFORE
    end = start + length
    body = content[start:end]
    if len(body) == length and zlib.crc32(body) == crc:
        return Record(sequence, body), end + len(END)
    if content[end : end + len(END)] == END:
        return None, end + len(END)
    if not content[end:].strip(b"\0"):
        return None, -1
    return None, _next_mark(content, at)


def _next_mark(content: bytes, at: int) -> int:
    place = content.find(MARK, at + 1)
    return place if place >= 0 else len(content)
