"""Parquet: a columnar file as a table, read by row groups, only the columns that are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.compute  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.parquet  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.wire.table.cell import Marks, number_of, switch_of
from bimetal.wire.table.column import NO_TIME, Cells
from bimetal.wire.table.source import Block, Form, Look, Want
from bimetal.wire.table.tap import Tap

pa: Any = pyarrow
pc: Any = pyarrow.compute
pq: Any = pyarrow.parquet

ROWS = 65_536
BUFFER_BYTES = 1 << 20
MOST_CELLS = 600_000
FEWEST_ROWS = 40
PIECES = 6
WIDE = 64
UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
LONGEST_TEXT = 256


@dataclass(slots=True)
class ParquetSource:
    """A table in a Parquet file; `tap` gives its bytes."""

    tap: Tap
    where: str = field(init=False)
    _file: Any = None
    _names: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.where = self.tap.where

    def look(self) -> Look:
        """Return what the table looks like. Raises BadInput when the file is damaged or not flat."""
        file = self._opened()
        schema = file.schema_arrow
        self._names = [f.name for f in schema if not pa.types.is_nested(f.type)]
        nested = [f.name for f in schema if pa.types.is_nested(f.type)]
        if not self._names:
            raise BadInput("it has no plain columns", where=self.where, hint="Write one number in each cell")
        tables, starts = self._sample(file)
        sample = tuple(
            _joined([_cells(t.column(at), _natural(t.column(at).type), Marks())[0] for t in tables])
            for at in range(len(self._names))
        )
        rows = file.metadata.num_rows
        notes = (
            (f"columns that hold lists or records are left out: {', '.join(nested[:6])}",) if nested else ()
        )
        whole = bool(sample) and len(sample[0]) == rows
        return Look(
            "Parquet", tuple(self._names), sample, starts, whole, self.tap.bytes_total, rows, notes=notes
        )

    def blocks(self, wants: Sequence[Want]) -> Iterator[Block]:
        """Read the wanted columns in blocks. Raises BadInput when the file is damaged."""
        file = self._opened()
        if not self._names:
            self.look()
        names = [self._names[w.place] for w in wants]
        total, done = max(file.metadata.num_rows, 1), 0
        size = max(ROWS * 8 // max(len(names), 8), 1024)
        try:
            for batch in file.iter_batches(batch_size=size, columns=names or self._names[:1]):
                done += batch.num_rows
                read = [_cells(batch.column(n), w.form, Marks()) for n, w in zip(names, wants, strict=True)]
                bytes_done = self.tap.bytes_total * done // total
                if batch.num_rows:
                    yield Block(
                        batch.num_rows, tuple(c for c, _ in read), sum(b for _, b in read), 0, bytes_done
                    )
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(error) from None

    def _opened(self) -> Any:
        if self._file is None:
            try:
                self._file = pq.ParquetFile(self.tap.open(), buffer_size=BUFFER_BYTES, pre_buffer=False)
            except (OSError, pa.ArrowException) as error:
                raise self._damaged(error) from None
        return self._file

    def _damaged(self, error: Exception) -> BadInput:
        first = str(error).split("\n")[0][:120]
        return BadInput(
            f"the Parquet file is damaged or cut short ({first})",
            where=self.where,
            hint="Write or copy it again",
        )

    def _sample(self, file: Any) -> tuple[list[Any], tuple[int, ...]]:
        """Read rows from the beginning, and from row groups spread over the file."""
        groups = [g for g in range(file.num_row_groups) if file.metadata.row_group(g).num_rows]
        most = max(MOST_CELLS // max(len(self._names), 1), FEWEST_ROWS)
        chosen = (
            sorted({groups[len(groups) * p // PIECES] for p in range(PIECES)} | set(groups[-1:]))
            if groups
            else []
        )
        tables: list[Any] = []
        starts: list[int] = []
        rows = 0
        try:
            for group in chosen:
                batch = next(file.iter_batches(most // len(chosen), row_groups=[group], columns=self._names))
                if group and not (
                    tables
                    and group - 1 in chosen
                    and tables[-1].num_rows == file.metadata.row_group(group - 1).num_rows
                ):
                    starts.append(rows)
                elif not group:
                    starts.append(0)
                tables.append(batch)
                rows += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(error) from None
        return tables, tuple(starts)


def _natural(kind: Any) -> Form:
    """The form in which a column of a type is looked at."""
    types = pa.types
    if types.is_integer(kind) and kind.bit_width > 32:
        return "text"
    if types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind) or types.is_null(kind):
        return "number"
    return "text"


def _cells(column: Any, form: Form, marks: Marks) -> tuple[Cells, int]:
    """Return a column in the form that is wanted, and how many cells were no numbers."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    instants = _instants(column, kind)
    if instants is not None and form == "text":
        return Cells(ns=instants), 0
    if form == "text":
        return Cells(text=_text(column, kind)), 0
    if (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_floating(kind)
    ):
        return Cells(numbers=_floats(column)), 0
    words = [w.decode("utf-8", "replace") for w in _text(column, kind).tolist()]
    said = [switch_of(w) if form == "switch" else number_of(w, marks) for w in words]
    values = np.array([np.nan if v is None else v for v in said], dtype=np.float64)
    return Cells(numbers=values), sum(v is None for v in said)


def _floats(column: Any) -> NDArray[np.float64]:
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.array(values, dtype=np.float64)


def _instants(column: Any, kind: Any) -> NDArray[np.int64] | None:
    """Return typed dates, time stamps and durations as nanoseconds since 1970, None for other types."""
    types = pa.types
    if types.is_date(kind):
        column, kind = column.cast(pa.timestamp("s")), pa.timestamp("s")
    if not (types.is_timestamp(kind) or types.is_duration(kind)):
        return None
    there = pc.is_valid(column).to_numpy(zero_copy_only=False)
    raw = column.cast(pa.int64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    scale = UNIT_NS[kind.unit]
    fits = np.abs(raw) < np.iinfo(np.int64).max // scale
    return np.where(there & fits, np.where(fits, raw, 0) * scale, NO_TIME)


def _text(column: Any, kind: Any) -> NDArray[np.bytes_]:
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)):
        column = column.cast(pa.string())
    cells = ["" if v is None else v for v in column.to_pylist()]
    packed = [
        (c if isinstance(c, bytes) else str(c).encode("utf-8", "replace"))[:LONGEST_TEXT] for c in cells
    ]
    return np.array(packed, dtype=np.bytes_) if any(packed) else np.zeros(len(packed), dtype="S1")


def _joined(parts: list[Cells]) -> Cells:
    if not parts:
        return Cells(numbers=np.zeros(0))
    if parts[0].ns is not None:
        return Cells(ns=np.concatenate([p.ns for p in parts if p.ns is not None]))
    if parts[0].numbers is not None:
        return Cells(numbers=np.concatenate([p.numbers for p in parts if p.numbers is not None]))
    return Cells(text=np.concatenate([p.text for p in parts if p.text is not None]))
