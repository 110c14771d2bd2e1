"""Whole file: a file of keys or tokens that is there whole and durable, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

MINE = 0o600
"""Read and written by its owner alone."""


def put(path: Path, content: bytes, *, mode: int = MINE, prefix: str = "tmp") -> None:
    """Write a file in place of one that may be there; raises OSError, and then that one is as it was."""
    with _written(path, content, mode, prefix) as name:
        os.replace(name, path)


def put_once(path: Path, content: bytes, *, mode: int = MINE) -> None:
    """Write a file, unless there is one: whoever comes second keeps the first one's. Raises OSError."""
    with _written(path, content, mode, "tmp") as name, suppress(FileExistsError):
        os.link(name, path)


@contextmanager
def _written(path: Path, content: bytes, mode: int, prefix: str) -> Generator[str]:
    """Yield the name of a file beside the path that holds the content; what is left of it goes at the end."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        yield name
    finally:
        with suppress(OSError):
            os.unlink(name)
