"""Duck: the one door to DuckDB, which answers SQL, and to the file systems it reads through.

DuckDB does not look at the checksums of Parquet pages: a flipped bit becomes a wrong answer. So it reads
segments through `SegmentFiles`, which hands out no byte that it has not checked, and opens nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
import fsspec.spec  # pyright: ignore[reportMissingTypeStubs]

from bimetal.keep.check import CheckedFile, CheckedReader
from bimetal.nouns.errors import Error

db: Any = duckdb
_FileSystem: Any = fsspec.spec.AbstractFileSystem
SCHEME = "kept"
_NEVER_CHANGED = datetime(1970, 1, 1, tzinfo=UTC)


class SegmentFiles(_FileSystem):
    """Open segments as files `kept://<name>` that DuckDB may read; `failed` is what went wrong."""

    protocol = SCHEME
    cachable = False

    def __init__(self, files: Mapping[str, CheckedFile]) -> None:
        _FileSystem.__init__(self)
        self._files = files
        self.failed: Error | None = None

    def open(self, path: str, mode: str = "rb", **_: object) -> CheckedReader:
        """Open a segment from its beginning."""
        return CheckedReader(self._files[_name(path)], self._note)

    def _note(self, error: Error) -> None:
        self.failed = error

    def ls(self, path: str, detail: bool = True, **_: object) -> list[Any]:
        """List the segments and how large they are."""
        found = [{"name": name, "size": f.size, "type": "file"} for name, f in self._files.items()]
        return found if detail else list(self._files)

    def exists(self, path: str, **_: object) -> bool:
        """Whether it is one of the segments."""
        return _name(path) in self._files

    def glob(self, path: str, **_: object) -> list[str]:
        """Return the segment of this name, if it is one."""
        return [path] if self.exists(path) else []

    def modified(self, path: str) -> datetime:
        """Say when a segment changed: never."""
        return _NEVER_CHANGED


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
