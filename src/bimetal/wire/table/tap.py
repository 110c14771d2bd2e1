"""Tap: where bytes come from, opened anew as often as they are needed."""

from __future__ import annotations

import errno
import gzip
import io
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

from bimetal.nouns.errors import BadInput, NotFound
from bimetal.wire.table.encoding import GZIP

DATA_SUFFIXES = (".csv", ".parquet", ".tsv", ".txt", ".dat", ".gz")
SHOWN = 4
SPOOL_BYTES = 32 << 20
COPY_BYTES = 1 << 20


class Tap(Protocol):
    """Bytes that can be read from their start, again and again.

    `bytes_total` is their number, or that of the file they are unpacked from; `packed` says
    which. `where` is what to call them in a message.
    """

    where: str
    bytes_total: int
    packed: bool

    def open(self) -> BinaryIO:
        """Return a new stream from the first byte on."""
        ...

    def done(self, stream: BinaryIO) -> int:
        """Return how many of `bytes_total` a stream has read."""
        ...


@dataclass(slots=True)
class PathTap:
    """A regular file; one packed with gzip is unpacked on the way."""

    path: Path
    where: str
    bytes_total: int
    packed: bool

    def open(self) -> BinaryIO:
        """Return a new stream from the first byte on. Raises BadInput when the file is gone."""
        try:
            raw = self.path.open("rb")
        except OSError as error:
            raise _refused(error, self.where) from None
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if self.packed else raw

    def done(self, stream: BinaryIO) -> int:
        """Return how many bytes of the file a stream has read."""
        inner = getattr(stream, "fileobj", None)
        return cast("BinaryIO", inner).tell() if inner is not None else stream.tell()


@dataclass(slots=True)
class SpoolTap:
    """A stream that can be read only once, kept in memory and past some size on disk."""

    where: str
    spool: IO[bytes]
    bytes_total: int
    packed: bool = False

    def open(self) -> BinaryIO:
        """Return the stream from the first byte on; only one reader at a time."""
        self.spool.seek(0)
        kept = cast("BinaryIO", _Kept(self.spool))
        return cast("BinaryIO", gzip.GzipFile(fileobj=kept)) if self.packed else kept

    def done(self, stream: BinaryIO) -> int:
        """Return how many bytes of the stream have been read."""
        return self.spool.tell()


class _Kept(io.RawIOBase):
    """A view of a spool that stays when the view is closed."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._spool.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._spool.seek(offset, whence)

    def tell(self) -> int:
        return self._spool.tell()


def tap_path(path: Path) -> Tap:
    """Return the bytes of a file; a pipe is read to its end first.

    Raises NotFound when nothing is there, BadInput for a folder (naming files in it to try),
    for a file that may not be read, and for an empty one.
    """
    where = str(path)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise BadInput("this is a folder, not a file", where=where, hint=_in_folder(path))
        with path.open("rb") as stream:
            if not stat.S_ISREG(found.st_mode):
                return tap_stream(stream, where)
            head = stream.read(2)
    except (OSError, ValueError) as error:
        raise _refused(error, where) from None
    if not head:
        raise BadInput("the file is empty", where=where, hint="Give a table with readings in it")
    return PathTap(path, where, found.st_size, head == GZIP)


def tap_stream(stream: BinaryIO, where: str) -> Tap:
    """Read a stream to its end and keep it, so that it can be read again.

    Raises BadInput if it is empty, or larger than there is room for.
    """
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - it lives as long as the tap
    piece_of = getattr(stream, "read1", stream.read)  # what is there, so that an interruption gets a turn
    try:
        while piece := cast("bytes", piece_of(COPY_BYTES)):
            spool.write(piece)
    except OSError as error:
        raise BadInput(
            f"it cannot be kept until its end: {error.strerror}",
            where=where,
            hint="Save it to a file and name that, or set TMPDIR to a folder with room",
        ) from None
    total = spool.tell()
    if not total:
        raise BadInput("there is nothing in it", where=where, hint="Give a table with readings in it")
    spool.seek(0)
    return SpoolTap(where, cast("IO[bytes]", spool), total, spool.read(2) == GZIP)


def _refused(error: OSError | ValueError, where: str) -> BadInput:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOENT, errno.ENOTDIR):
        return NotFound("there is no such file", where=where, hint="Check the name and the folder")
    if number in (errno.EACCES, errno.EPERM):
        return BadInput("this file may not be read", where=where, hint="Change its permissions, or copy it")
    reason = os.strerror(number).lower() if number else "this is no file name"
    return BadInput(f"the file cannot be read: {reason}", where=where, hint="Check the name and the disk")


def _in_folder(folder: Path) -> str:
    try:
        names = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in DATA_SUFFIXES and p.is_file())
    except OSError:
        names = []
    if not names:
        return "Name a CSV or Parquet file"
    more = f" (and {len(names) - SHOWN} more)" if len(names) > SHOWN else ""
    return f"Name a file in it: {', '.join(str(folder / n) for n in names[:SHOWN])}{more}"
