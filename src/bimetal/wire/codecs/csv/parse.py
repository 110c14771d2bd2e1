"""Parse: lines of text become columns, by pyarrow where cells are plain, by the law of the cell elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.csv  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from bimetal.wire.codecs.csv.mend import mend_rows, needs_mending
from bimetal.wire.table.cell import MISSING, number_of, switch_of
from bimetal.wire.table.column import Cells
from bimetal.wire.table.dialect import Dialect
from bimetal.wire.table.source import Block, Want

pa: Any = pyarrow
LONGEST_TEXT = 256
BLOCK_BYTES = 1 << 20


@dataclass(slots=True)
class Parser:
    """Turns chunks of whole lines into blocks; it remembers which columns are not plain numbers."""

    dialect: Dialect
    wants: tuple[Want, ...]
    _dirty: set[int] = field(default_factory=set[int])

    def __post_init__(self) -> None:
        # Arrow's own way with Ctrl-C loses one in forty; a chunk is read so fast that Python's way will do.
        pa.enable_signal_handlers(False)

    def parse(self, chunk: bytes, bytes_done: int) -> Block | None:
        """Return the rows of a chunk, None when it has none."""
        chunk = self._tidied(chunk)
        mended = 0
        if needs_mending(chunk):
            chunk, mended = mend_rows(chunk, self.dialect.separator, self.dialect.width)
        table = self._table(chunk)
        if table is None:
            chunk, more = mend_rows(chunk, self.dialect.separator, self.dialect.width)
            mended += more
            table = self._table(chunk)
        if table is None or not table.num_rows:
            return None
        cells: list[Cells] = []
        bad = 0
        for want in self.wants:
            column, wrong = self._cells(table.column(str(want.place)), want)
            cells.append(column)
            bad += wrong
        return Block(table.num_rows, tuple(cells), bad, mended, bytes_done)

    def _tidied(self, chunk: bytes) -> bytes:
        if self.dialect.comment:
            mark = re.escape(self.dialect.comment.encode())
            chunk = re.sub(rb"(?m)^[ \t]*" + mark + rb".*\n?", b"", chunk)
        if self.dialect.separator == " ":
            chunk = re.sub(rb"[ \t\r]+", b" ", chunk)
            chunk = re.sub(rb"(?m)^ | $", b"", chunk)
        return chunk

    def _table(self, chunk: bytes) -> Any:
        """Parse a chunk; None when some of its rows have too many or too few cells."""
        if not chunk or chunk.isspace():
            return pa.table({})
        ragged: list[int] = []
        for dirty in (self._dirty, {w.place for w in self.wants}):
            self._dirty = dirty
            try:
                table = self._arrow(chunk, ragged)
                return None if ragged else table
            except pa.ArrowInvalid:
                if ragged:
                    return None
        return None

    def _arrow(self, chunk: bytes, ragged: list[int]) -> Any:
        def note(row: Any) -> str:
            ragged.append(int(row.actual_columns))
            return "skip"

        longest = BLOCK_BYTES if chunk.find(b"\n", 0, BLOCK_BYTES) >= 0 else len(chunk) + 1
        names = [str(place) for place in range(self.dialect.width)]
        plain = {w.place for w in self.wants if w.form == "number"} - self._dirty
        types = {str(w.place): pa.float64() if w.place in plain else pa.binary() for w in self.wants}
        csv: Any = pyarrow.csv
        return csv.read_csv(
            pa.BufferReader(chunk),
            read_options=csv.ReadOptions(column_names=names, block_size=longest),
            parse_options=csv.ParseOptions(delimiter=self.dialect.separator, invalid_row_handler=note),
            convert_options=csv.ConvertOptions(
                include_columns=list(types), column_types=types, null_values=_nulls(), check_utf8=False,
                decimal_point=self.dialect.marks.decimal,
            ),
        )  # fmt: skip

    def _cells(self, column: Any, want: Want) -> tuple[Cells, int]:
        """Return a column in the form that is wanted, and how many cells were no numbers."""
        if want.form == "text":
            return Cells(text=_bytes_of(column)), 0
        if column.type == pa.float64():
            return Cells(numbers=column.to_numpy()), 0
        coded = column.combine_chunks().dictionary_encode()
        words = [bytes(w).decode("utf-8", "replace") for w in coded.dictionary.to_pylist()]
        if want.form == "switch":
            said: Sequence[float | None] = [switch_of(w) for w in words]
        else:
            said = [number_of(w, self.dialect.marks) for w in words]
        index: NDArray[np.int64] = coded.indices.to_numpy(zero_copy_only=False)
        values = np.array([np.nan if v is None else v for v in said], dtype=np.float64)[index]
        wrong = np.array([v is None for v in said], dtype=np.bool_)[index]
        return Cells(numbers=values), int(np.count_nonzero(wrong))


def _bytes_of(column: Any) -> NDArray[np.bytes_]:
    """Return a column of binary cells as bytes of one width, cut at LONGEST_TEXT."""
    array = column.combine_chunks()
    count = len(array)
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + count + 1]
    lengths = np.diff(ends)
    width = min(max(int(lengths.max(initial=0)), 1), LONGEST_TEXT)
    pool = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    if bool((lengths == width).all()):
        matrix = pool[ends[0] : ends[-1]].reshape(count, width)
    else:
        at = ends[:-1, None] + np.arange(width)
        inside = np.arange(width) < lengths[:, None]
        matrix = (
            np.where(inside, pool[np.minimum(at, max(len(pool) - 1, 0))], 0)
            if len(pool)
            else np.zeros_like(at, np.uint8)
        )
    return np.ascontiguousarray(matrix, dtype=np.uint8).view(f"S{width}").reshape(count)


@cache
def _nulls() -> list[str]:
    """Every usual spelling of a missing cell, for pyarrow, which compares cells as they stand."""
    words = {form for w in MISSING for form in (w, w.upper(), w.capitalize())}
    return sorted(words | {"NaN", "NaN ", " NaN", " ", "  "})
