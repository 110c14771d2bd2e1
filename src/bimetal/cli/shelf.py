"""Shelf: where compiled libraries are kept: a folder of this user that nobody else can write to."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from bimetal.nouns.errors import Unsupported

OTHERS = stat.S_IWGRP | stat.S_IWOTH


class LocalShelf:
    """A folder in the user's cache; what lies in it is loaded only if nobody else can have put it there."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "native"

    def find(self, name: str) -> str:
        """Return the path of what is kept under a name, "" where there is nothing that can be trusted."""
        path = self.folder / name
        try:
            found = path.lstat()
        except OSError:
            return ""
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & OTHERS
        return str(path) if ours and not unsafe(self.folder) else ""

    def put(self, name: str, data: bytes) -> str:
        """Keep bytes, written whole, and return their path; raises Unsupported where that is not safe."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            reason = unsafe(self.folder)
            if reason:
                raise Unsupported(f"libraries are not kept here: {reason}", where=str(self.folder))
            file, fresh = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(file, "wb") as to:
                    to.write(data)
                    to.flush()
                    os.fsync(to.fileno())
                os.chmod(fresh, 0o700)
                os.replace(fresh, self.folder / name)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.remove(fresh)
                raise
        except OSError as e:
            raise Unsupported(f"it cannot be written to ({e.strerror})", where=str(self.folder)) from None
        return str(self.folder / name)


def unsafe(folder: Path) -> str:
    """Return in words why others could change what lies in a folder, "" where they cannot.

    The folder must be the user's own. Those above it must be the user's or the system's, and writable by
    others only if they keep others from renaming what is not theirs, as the folder for temporary files.
    """
    found = folder.lstat()
    if not (stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()):
        return f"{folder} is not a folder of this user"
    if found.st_mode & OTHERS:
        return f"{folder} can be written to by others"
    for above in folder.resolve().parents:
        found = above.stat()
        if found.st_uid not in (0, os.geteuid()):
            return f"{above} belongs to another user"
        if found.st_mode & OTHERS and not found.st_mode & stat.S_ISVTX:
            return f"{above} can be written to by others"
    return ""


def cache_folder() -> Path:
    """Return this user's folder for what can be made again."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "bimetal"
