"""Decoder: one way that bytes come in, with examples of what it takes, for whoever mutates them.

Reading must end, soon, in a result or in one of our own errors; anything else is a finding. Where a
checksum or a signature stands before the bytes, the reader here makes it fit, so that what is behind it
is tried as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bimetal.nouns.errors import Error

Read = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Decoder:
    """A reader of bytes, and what gives examples of what it reads."""

    read: Read
    seeds: Callable[[], list[bytes]]

    def survives(self, content: bytes) -> None:
        """Read; raises whatever is not one of our own errors."""
        with suppress(Error):
            self.read(content)


@cache
def _held() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def scratch() -> Path:
    """A folder that goes with the process."""
    return Path(_held().name)


def file(name: str, read: Callable[[Path], object], seeds: Callable[[], list[bytes]]) -> Decoder:
    """A file of that name with these bytes in it."""

    def written(content: bytes) -> object:
        path = scratch() / name
        path.write_bytes(content)
        return read(path)

    return Decoder(written, seeds)


def made(write: Callable[[Path], object], name: str) -> Callable[[], list[bytes]]:
    """What `write` puts in a file, or in the only file of a folder."""

    @cache
    def seeds() -> list[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / name)
            return [p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()]

    return seeds
