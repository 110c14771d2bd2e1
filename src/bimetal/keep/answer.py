"""Answer: rows of a query as plain values, or as a file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from bimetal.keep.arrow import Table, csv, pa, pq
from bimetal.keep.disk import whole_file
from bimetal.keep.event_line import time_text
from bimetal.nouns.errors import BadInput

_UNIT_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found: what its columns are, and rows in parts, each found when it is asked for."""

    schema: Any
    parts: Iterator[Table]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, a number behind one that is there already."""
        seen: dict[str, int] = {}
        names: list[str] = []
        for name in self.schema.names:
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
        return tuple(names)

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield rows of what JSON knows; times are RFC 3339 in UTC, numbers that are not finite None."""
        for part in self.parts:
            yield from zip(*(_plain(column) for column in part.columns), strict=True)

    def write(self, path: Path, most: int | None = None) -> int:
        """Write the rows, or the first of them, as Parquet or CSV, whole or not at all; returns how many.

        The name of the file says which. Raises BadInput for another name, Unsupported when the disk is
        full, NotAllowed when the folder cannot be written.
        """
        schema = pa.schema([f.with_name(n) for f, n in zip(self.schema, self.columns, strict=True)])
        writing = writer_of(path)
        count = 0
        with whole_file(path) as new:
            with writing(new, schema) as writer:
                for part in self.parts:
                    part = part if most is None else part.slice(0, most - count)
                    writer.write_table(part.rename_columns(list(self.columns)))
                    count += len(part)
                    if count == most:
                        break
            new.chmod(0o644)
        return count


def writer_of(path: Path) -> Any:
    """Return what writes files of this name; raises BadInput unless it ends in .parquet or .csv."""
    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv"):
        raise BadInput(
            "a query is written as Parquet or CSV", where=str(path), hint="End the name in .parquet or .csv"
        )
    return pq.ParquetWriter if kind == ".parquet" else csv.CSVWriter


def _plain(column: Any) -> list[object]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        numbers = column.cast(pa.int64()).to_pylist()
        return [None if n is None else _time(n * _UNIT_NS[kind.unit]) for n in numbers]
    try:
        return [_value(v) for v in column.to_pylist()]
    except ValueError:
        raise BadInput(
            f"a column of {kind} cannot be printed", hint="Take the parts out, or cast it to VARCHAR"
        ) from None


def _time(time_ns: int) -> str | None:
    try:
        return time_text(time_ns)
    except BadInput:
        return None


def _value(value: Any) -> object:
    if value is None or isinstance(value, bool | int | str | Decimal):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\x{b:02X}" for b in value)
    if isinstance(value, pa.MonthDayNano):
        return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:g}S"
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict):
        pairs = cast("dict[object, Any]", value)
        return {str(k): _value(v) for k, v in pairs.items()}
    if isinstance(value, list | tuple):
        return [_value(v) for v in cast("list[Any]", value)]
    return str(value)
