"""Check: what the bytes of a segment file must be, part by part.

The parts are the file's row groups, the first with the mark before it, and what stands behind the
last. Each is described by 12 bytes, little-endian: where it ends (8) and its CRC-32 (4).
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import local

from bimetal.keep.disk import in_words
from bimetal.keep.store import Lying
from bimetal.nouns.errors import BadInput, Error

_PART = struct.Struct("<QI")
_READ_BYTES = 1 << 20


def checks_of(path: Path, ends: Sequence[int]) -> bytes:
    """Return the description of a file's parts, which end at these bytes."""
    said: list[bytes] = []
    start = 0
    with in_words(path), path.open("rb") as file:
        for end in ends:
            crc = 0
            while start < end and (read := file.read(min(end - start, _READ_BYTES))):
                crc, start = zlib.crc32(read, crc), start + len(read)
            said.append(_PART.pack(end, crc))
    return b"".join(said)


class CheckedFile:
    """An open file of which nothing is handed out that changed since it was described.

    Threads may share it. Raises BadInput when it is longer or shorter than described.
    """

    def __init__(self, file: Lying, checks: bytes) -> None:
        self.where = file.where
        self.far = file.size is None
        self._file = file
        parts = list(_PART.iter_unpack(checks))
        self.ends = [int(end) for end, _ in parts]
        self._crcs = [int(crc) for _, crc in parts]
        if file.size not in (None, self.size):
            file.close()
            raise _damaged(self.where)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.ends[-1]

    def start(self, number: int) -> int:
        """Return where a part begins."""
        return self.ends[number - 1] if number else 0

    def part(self, number: int) -> bytes:
        """Return a whole part; raises BadInput when it was changed, NotFound when the file is gone."""
        start = self.start(number)
        content = self._file.read(start, self.ends[number] - start)
        if zlib.crc32(content) != self._crcs[number]:
            raise _damaged(self.where)
        return content

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class _Place(local):
    at = 0


class CheckedReader:
    """A place in a checked file, to be read from as files of Python are; every thread has its own place.

    It remembers the last part, for that is mostly asked for in pieces, and in `failed` what went wrong.
    """

    closed = False

    def __init__(self, file: CheckedFile, tell_failed: Callable[[Error], object] = lambda _: None) -> None:
        self._file = file
        self._place = _Place()
        self._part: tuple[int, bytes] | None = None
        self._tell_failed = tell_failed
        self.failed: Error | None = None

    def read(self, count: int = -1) -> bytes:
        """Return bytes from here on, fewer at the end; raises BadInput when they were changed."""
        at = self._place.at
        stop = self._file.size if count < 0 else min(at + count, self._file.size)
        found: list[bytes] = []
        while at < stop:
            number = bisect_right(self._file.ends, at)
            first, end = self._file.start(number), min(stop, self._file.ends[number])
            found.append(self._whole(number)[at - first : end - first])
            at = end
        self._place.at = at
        return found[0] if len(found) == 1 else b"".join(found)

    def seek(self, to: int, whence: int = 0) -> int:
        """Go to another place."""
        self._place.at = to + (0, self._place.at, self._file.size)[whence]
        return self._place.at

    def tell(self) -> int:
        """Return the place."""
        return self._place.at

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def close(self) -> None:
        """Forget what was remembered; the file stays open for others."""
        self._part = None

    def _whole(self, number: int) -> bytes:
        last = self._part
        if last is not None and last[0] == number:
            return last[1]
        try:
            content = self._file.part(number)
        except Error as error:
            self.failed = error
            self._tell_failed(error)
            raise
        self._part = number, content
        return content


def _damaged(where: str) -> BadInput:
    return BadInput(
        "this segment was changed or damaged since it was sealed",
        where=where,
        hint="Put the file back from a backup",
    )
