"""Store: where segment files lie, which are written whole, never changed, and read in pieces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Protocol

from bimetal.keep.disk import in_words, read_at, remove_durably, whole_file


class Lying(Protocol):
    """A file of a store that can be read in pieces, by several threads."""

    @property
    def where(self) -> str:
        """What people call it."""
        ...

    @property
    def size(self) -> int | None:
        """How many bytes it has, None when it is far and was not asked."""
        ...

    def read(self, at: int, count: int) -> bytes:
        """Return bytes from a place on, fewer when it ends before; raises NotFound when it is gone."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Store(Protocol):
    """A place for files under names that are used once.

    Its methods raise NotAllowed where it refuses, Unsupported when it is full or cannot be reached.
    """

    def new(self, name: str) -> AbstractContextManager[Path]:
        """Yield an empty local file; when the block ends well it is durable and lies under its name."""
        ...

    def open(self, name: str) -> Lying:
        """Open a file; one that is gone raises NotFound here or when it is read."""
        ...

    def names(self) -> list[str]:
        """Return the names of all files."""
        ...

    def remove(self, names: Sequence[str]) -> None:
        """Remove files for good, so that no older version of one is left; one that is gone is fine."""
        ...


class OpenFile:
    """A file on a disk; it can be read after it was unlinked. Raises NotFound when it is not there."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._turn = Lock()
        with in_words(path):
            self._handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self.size = os.fstat(self._handle).st_size

    def read(self, at: int, count: int) -> bytes:
        """Return bytes from a place on, fewer when it ends before."""
        with in_words(self.where), self._turn:
            return read_at(self._handle, at, count)

    def close(self) -> None:
        """Let go of it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Folder:
    """A folder, on this machine or on a file system that several share."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def new(self, name: str) -> AbstractContextManager[Path]:
        """Yield an empty file beside its place; raises as `whole_file`."""
        return whole_file(self.path / name)

    def open(self, name: str) -> OpenFile:
        """Open a file."""
        return OpenFile(self.path / name)

    def names(self) -> list[str]:
        """Return the names of all files."""
        with in_words(self.path):
            return [path.name for path in self.path.iterdir()]

    def remove(self, names: Sequence[str]) -> None:
        """Unlink files."""
        remove_durably([self.path / name for name in names])
