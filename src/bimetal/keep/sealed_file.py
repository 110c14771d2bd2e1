"""Sealed file: a segment being read, group by group, nothing of it unchecked."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.arrow import nanoseconds, pa, parsing, pq
from bimetal.keep.asked import EARLIEST_NS, LATEST_NS, Asked
from bimetal.keep.catalog import Catalog, Held, Sealed
from bimetal.keep.check import CheckedFile, CheckedReader
from bimetal.keep.rows import Rows, join, no_rows
from bimetal.keep.store import Store
from bimetal.nouns.errors import Error, NotFound

_COLUMNS = ("time", "value", "quality")
_AT_ONCE = 16
_Group = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]


class SealedFile:
    """An open segment; one in a folder can be read after it was replaced and unlinked.

    Raises NotFound when it is gone, BadInput when any byte that is read changed since it was sealed.
    """

    def __init__(self, store: Store, sealed: Sealed) -> None:
        self.sealed = sealed
        self.checked = CheckedFile(store.open(sealed.name), sealed.checks)
        self._parquet: Any = None
        self._first = np.zeros(1, np.int64)
        self._reader = CheckedReader(self.checked)
        self._group: tuple[int, _Group] | None = None

    def rows(self, held: Sequence[Held], since_ns: int = EARLIEST_NS, until_ns: int = LATEST_NS) -> Rows:
        """Return series of the segment with since <= time < until, in the order they lie."""
        return join([no_rows(), *(part for h in held for part in self.pieces(h, since_ns, until_ns))])

    def pieces(self, held: Held, since_ns: int = EARLIEST_NS, until_ns: int = LATEST_NS) -> Iterator[Rows]:
        """Yield one series with since <= time < until, a row group's part of it at a time."""
        self._open()
        at, stop = held.start, held.start + held.rows
        while at < stop:
            number = int(np.searchsorted(self._first, at, side="right")) - 1
            first = int(self._first[number])
            end = min(stop, int(self._first[number + 1]))
            time, value, quality = self._columns(number)
            time = time[at - first : end - first]
            a, b = np.searchsorted(time, (since_ns, until_ns)).tolist()
            if b > a:
                code = np.zeros(b - a, np.int32)
                here = slice(at - first + a, at - first + b)
                yield Rows(((held.device, held.signal),), code, time[a:b], value[here], quality[here])
            at = end

    def close(self) -> None:
        """Let go of the file."""
        self._group = None
        self._reader.close()
        self.checked.close()

    def _open(self) -> None:
        if self._parquet is not None:
            return
        with self._reading():
            self._parquet = pq.ParquetFile(pa.PythonFile(self._reader, mode="r"))
            meta = self._parquet.metadata
            counts = [meta.row_group(k).num_rows for k in range(meta.num_row_groups)]
        self._first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    def _columns(self, number: int) -> _Group:
        if self._group is None or self._group[0] != number:
            with self._reading():
                table = self._parquet.read_row_group(number, columns=_COLUMNS, use_threads=False)
                time = nanoseconds(table.column("time"))
                group = time, table.column("value").to_numpy(), table.column("quality").to_numpy()
            self._group = number, group
        return self._group[1]

    @contextmanager
    def _reading(self) -> Generator[None, None, None]:
        try:
            with parsing(self.checked.where):
                yield
        except Error:
            if self._reader.failed is not None:
                raise self._reader.failed from None
            raise


@dataclass(frozen=True, slots=True)
class Opened:
    """Segments held open: `sealed` is the last batch they hold, `parts` where what is asked for may lie."""

    sealed: int
    parts: tuple[tuple[SealedFile, tuple[Held, ...]], ...]

    def rows(self, since_ns: int, until_ns: int) -> list[Rows]:
        """Return what the parts hold with since <= time < until; of files that are far, of some at once."""

        def rows(part: tuple[SealedFile, tuple[Held, ...]]) -> Rows:
            return part[0].rows(part[1], since_ns, until_ns)

        if not any(file.checked.far for file, _ in self.parts):
            return [rows(part) for part in self.parts]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(rows, self.parts))

    def close(self) -> None:
        """Let go of the files."""
        for file, _ in self.parts:
            file.close()


def open_segments(store: Store, book: Catalog, asked: Asked) -> Opened:
    """Open the segments in which readings that are asked for may lie, as they are at one instant.

    Raises NotFound when one is gone although the catalog names it.
    """
    while True:
        sealed, founds = book.find(asked)
        files: list[SealedFile] = []
        try:
            files.extend(SealedFile(store, found.sealed) for found in founds)
            return Opened(sealed, tuple((f, found.held) for f, found in zip(files, founds, strict=True)))
        except NotFound:
            _close(files)
            # Replaced between the two steps: look again. Gone although the catalog names it: say so.
            if book.find(asked) == (sealed, founds):
                raise
        except BaseException:
            _close(files)
            raise


def _close(files: Sequence[SealedFile]) -> None:
    for file in files:
        file.close()
