"""Segment file: sealed readings as one Parquet file, sorted by device, signal and time."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from bimetal.keep.arrow import Table, pa, pq
from bimetal.keep.asked import Asked
from bimetal.keep.catalog import Held, Sealed
from bimetal.keep.disk import in_words, write_whole
from bimetal.keep.reading_table import LONG, coded, signal_of, signal_text, times
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal

ROW_GROUP = 1 << 15
"""Rows in every group of a file but the last; reading takes whole groups."""
_NAME = re.compile(r"(\d{16})-(\d{16})-(\d{6})\.parquet")


def name_of(first: int, last: int, generation: int) -> str:
    """Return the file name of the segment that holds batches first..last."""
    return f"{first:016d}-{last:016d}-{generation:06d}.parquet"


def span_of(path: Path) -> tuple[int, int, int] | None:
    """Return first, last and generation of a file named like a segment, None for any other."""
    match = _NAME.fullmatch(path.name)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def write_segment(
    folder: Path, table: Table, signals: Sequence[Signal], span: tuple[int, int, int]
) -> tuple[Sealed, tuple[Held, ...]]:
    """Put a tidy table in place as a segment; returns what the catalog should say of it."""
    described = {f"signal {s.name}": signal_text(s) for s in signals}
    table = table.replace_schema_metadata({"bimetal": "readings 1", **described})
    for k, name in enumerate(("device", "signal")):
        # Encoded anew: a filtered table's dictionary still names what was filtered out.
        table = table.set_column(k, name, table.column(name).cast(pa.string()).dictionary_encode())
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", row_group_size=ROW_GROUP, write_page_checksum=True)
    content = sink.getvalue().to_pybytes()
    path = folder / name_of(*span)
    write_whole(path, content)
    return Sealed(path.name, *span, len(table), len(content), zlib.crc32(content)), held_in(table)


def held_in(table: Table) -> tuple[Held, ...]:
    """Return the series in a tidy table."""
    (device, devices), (signal, signals), time = coded(table, "device"), coded(table, "signal"), times(table)
    series = device * max(len(signals), 1) + signal
    starts: list[int] = [0, *(np.flatnonzero(np.diff(series)) + 1).tolist()] if len(series) else []
    return tuple(
        Held(devices[int(device[a])], signals[int(signal[a])], b - a, int(time[a]), int(time[b - 1]))
        for a, b in pairwise([*starts, len(series)])
    )


def read_segment(folder: Path, sealed: Sealed, held: Sequence[Held], asked: Asked) -> Table:
    """Read what is asked for of a segment; `held` is what the catalog says is in it, in order.

    Raises BadInput when any of its bytes changed since it was written, NotFound when it is gone.
    """
    path = folder / sealed.name
    with in_words(path):
        content = path.read_bytes()
    if len(content) != sealed.bytes or zlib.crc32(content) != sealed.crc:
        raise BadInput(
            "this segment was changed or damaged since it was sealed",
            where=str(path),
            hint="Put the file back from a backup",
        )
    found = _parse(path, content, _wanted(held, asked)).cast(LONG).replace_schema_metadata(None)
    time = times(found)
    return found.filter(pa.array((time >= asked.since_ns) & (time < asked.until_ns)))


def adopt_segment(path: Path) -> tuple[Sealed, tuple[Held, ...], tuple[Signal, ...]]:
    """Describe a segment file that the catalog does not know, from what is in it.

    Raises BadInput when it is none, or damaged.
    """
    span = span_of(path)
    with in_words(path):
        content = path.read_bytes()
    table = _parse(path, content, None)
    marks: dict[bytes, bytes] = table.schema.metadata or {}
    if span is None or marks.get(b"bimetal") != b"readings 1":
        raise BadInput("this is not a segment of bimetal", where=str(path), hint="Move the file away")
    signals = tuple(signal_of(v.decode()) for k, v in sorted(marks.items()) if k.startswith(b"signal "))
    return Sealed(path.name, *span, len(table), len(content), zlib.crc32(content)), held_in(table), signals


def _wanted(held: Sequence[Held], asked: Asked) -> list[tuple[int, int]]:
    """Return the stretches of rows, first and after the last, of the series that are asked for."""
    stop = np.cumsum([h.rows for h in held], dtype=np.int64)
    return [
        (int(end) - h.rows, int(end))
        for h, end in zip(held, stop, strict=True)
        if asked.wants(h.device, h.signal, h.first_ns, h.last_ns)
    ]


def _parse(path: Path, content: bytes, stretches: list[tuple[int, int]] | None) -> Table:
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        if stretches is None:
            return file.read()
        groups = sorted({g for a, b in stretches for g in range(a // ROW_GROUP, (b - 1) // ROW_GROUP + 1)})
        table = file.read_row_groups(groups, use_threads=False)
        at = {g: k * ROW_GROUP for k, g in enumerate(groups)}
        parts = [table.slice(at[a // ROW_GROUP] + a % ROW_GROUP, b - a) for a, b in stretches]
        return pa.concat_tables(parts) if parts else table.slice(0, 0)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(
            f"this segment cannot be read: {error}", where=str(path), hint="Put the file back from a backup"
        ) from None
