"""Whole: a text file that appears complete, or not at all; and where a file may be written."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from bimetal.nouns.errors import BadInput, Error

HINT = "Name another place"
BUFFER_BYTES = 1 << 16


def check_place(path: Path, sources: Iterable[Path] = ()) -> None:
    """Raise BadInput when a file cannot be written there, or would overwrite one of the sources."""
    where = str(path)
    if os.path.isdir(path):
        raise BadInput("this is a folder, not a file", where=where, hint="Name a file in it")
    if not os.path.isdir(path.parent):
        raise BadInput(
            "there is no such folder", where=str(path.parent), hint="Make it, or name another place"
        )
    check_folder(path.parent)
    for source in sources:
        with contextlib.suppress(OSError):
            if path.samefile(source):
                raise BadInput("this would overwrite what is read", where=where, hint=HINT)


def check_folder(folder: Path) -> None:
    """Raise BadInput when files in a folder cannot be made or replaced."""
    effective = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=effective):
        raise BadInput("this folder may not be written to", where=str(folder), hint=HINT)


@contextmanager
def whole_file(path: Path) -> Generator[TextIO]:
    """Yield a text file to write to; it takes its name when the block ends well, and is gone otherwise.

    What is there and no plain file, such as a pipe, is written to as it is. Raises BadInput when
    the place cannot be written to or the disk is full.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open_file(path) as file:
            yield file
        return
    place = Path(os.path.realpath(path))
    name = place.parent / f".{place.name[:100]}.{secrets.token_hex(4)}"
    try:
        with open_file(name, shown=path) as file:
            yield file
        try:
            os.replace(name, place)
        except OSError as error:
            raise _unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            name.unlink()


@contextmanager
def open_file(path: Path, shown: Path | None = None) -> Generator[TextIO]:
    """Yield a text file to write to, whose errors are in words; `shown` is what they call it."""
    try:
        raw = _File(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), shown or path)
    except OSError as error:
        raise _unwritable(shown or path, error) from None
    file = io.TextIOWrapper(io.BufferedWriter(raw, BUFFER_BYTES), encoding="utf-8", newline="")
    try:
        yield file
        file.close()
    finally:
        with contextlib.suppress(OSError, Error):
            file.close()


class _File(io.FileIO):
    """A file whose errors are told apart from those of anything else that is read or written."""

    def __init__(self, handle: int, shown: Path) -> None:
        super().__init__(handle, "w")
        self._shown = shown

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _unwritable(self._shown, error) from None


def _unwritable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"the file cannot be written: {error.strerror}", where=str(path), hint=HINT)
