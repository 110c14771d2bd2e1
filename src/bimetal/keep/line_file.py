"""Line file: a text file that grows line by line, each durable before anybody is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bimetal.keep.disk import (
    in_words,
    refusal,
    remove_durably,
    sync_data,
    sync_folder,
    write_all,
    write_whole,
)
from bimetal.nouns.errors import NotFound


def append_lines(path: Path, content: bytes) -> None:
    """Add lines to a file; returns when a power cut could not lose them.

    Raises Unsupported when the disk is full, NotAllowed when it cannot be written; then none is added.
    """
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


def whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file, beside whoever writes it; none when it has just gone."""
    try:
        with in_words(path):
            content = path.read_bytes()
    except NotFound:
        return []
    return content[: content.rfind(b"\n") + 1].splitlines()


def drop_torn_line(path: Path) -> None:
    """Take off a last line that was never finished."""
    with in_words(path):
        content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        write_whole(path, content[: content.rfind(b"\n") + 1])


def keep_lines(path: Path, stays: Callable[[bytes], bool]) -> int:
    """Rewrite a file with the lines that stay, or remove it when none does; returns how many went."""
    with in_words(path):
        lines = path.read_bytes().splitlines(keepends=True)
    stay = [line for line in lines if stays(line)]
    if not stay:
        remove_durably([path])
    elif len(stay) < len(lines):
        write_whole(path, b"".join(stay))
    return len(lines) - len(stay)
