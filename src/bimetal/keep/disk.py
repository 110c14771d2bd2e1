"""Disk: whole files or none, durable before anybody is told, and the system's errors in words."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound, Unsupported

UNFINISHED = ".new-"
"""How the names of files begin that are being written."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def refusal(error: OSError, where: str | Path) -> Error:
    """Say what the system refused and what to try.

    A full disk is Unsupported, a folder one may not write NotAllowed, a missing file NotFound,
    anything else BadInput.
    """
    if error.errno in _FULL:
        return Unsupported(
            "the disk has no room left", where=str(where), hint="Free some space; what was kept is intact"
        )
    if error.errno in _CLOSED:
        return NotAllowed(
            "this place cannot be read or written", where=str(where), hint="Choose a folder of yours"
        )
    if error.errno == errno.ENOENT:
        return NotFound("nothing is there", where=str(where))
    return BadInput(f"this place cannot be used: {error.strerror or error}", where=str(where))


@contextmanager
def in_words(where: str | Path) -> Generator[None, None, None]:
    """Turn an OSError inside the block into an error of ours."""
    try:
        yield
    except OSError as error:
        raise refusal(error, where) from error


def sync_folder(folder: Path) -> None:
    """Make names that were added, replaced or removed in a folder durable."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_data(handle: int) -> None:
    """Return when what was written through this handle would survive a power cut."""
    getattr(os, "fdatasync", os.fsync)(handle)


def write_all(handle: int, content: bytes | memoryview) -> None:
    """Write every byte, however many calls it takes; raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def read_at(handle: int, at: int, count: int) -> bytes:
    """Read bytes from a place in a file, fewer when it ends before; raises OSError.

    For one thread at a time.
    """
    os.lseek(handle, at, os.SEEK_SET)
    parts: list[bytes] = []
    while count > 0 and (read := os.read(handle, count)):
        parts.append(read)
        count -= len(read)
    return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def whole_file(path: Path) -> Generator[Path, None, None]:
    """Yield the name of an empty file; when the block ends well it is durable and takes its name.

    Whatever happens, readers see the old content or the new. Raises Unsupported when the disk is
    full, NotAllowed when the folder cannot be written.
    """
    with in_words(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
        try:
            try:
                yield Path(name)
                os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Put a file with this content in place, whole or not at all; raises as `whole_file`."""
    with whole_file(path) as new:
        handle = os.open(new, os.O_WRONLY | getattr(os, "O_BINARY", 0))
        try:
            write_all(handle, content)
        finally:
            os.close(handle)


def remove_durably(paths: list[Path]) -> None:
    """Unlink files, and make that durable; one that is gone already is fine."""
    for path in paths:
        with in_words(path):
            path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        with in_words(folder):
            sync_folder(folder)


def sweep_unfinished(folder: Path) -> None:
    """Remove what `write_whole` left when it was killed."""
    remove_durably(list(folder.glob(f"{UNFINISHED}*")))


def make_folder(folder: Path) -> None:
    """Make a folder and its parents; raises NotAllowed or BadInput when that cannot be."""
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)


def hold(folder: Path) -> int:
    """Take a folder for one writer; returns the handle that holds it until it is closed.

    The system lets go when the process ends, however it ends. Raises BadInput when another
    process, or this one, holds it already.
    """
    path = folder / "lock"
    with in_words(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
    except OSError:
        os.close(handle)
        raise BadInput(
            "somebody else is writing to this folder",
            where=str(folder),
            hint="Stop the other bimetal, or choose another folder",
        ) from None
    return handle


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
