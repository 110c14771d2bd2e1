"""Segment file: sealed readings as one Parquet file, sorted by device, signal and time.

Any Parquet reader opens it: columns `device`, `signal`, `time`, `value`, `quality`. Times are in
microseconds, which all readers know, or where one of them is finer in nanoseconds, which not all do; then
its name says `ns`. They are written as differences (regular ones nearly vanish) or as split bytes (those
that signals share are found again), values mostly by a dictionary, for sensors repeat themselves:
whatever is smallest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.arrow import Table, nanoseconds, pa, parsing, pq
from bimetal.keep.batch_bytes import signal_of, signal_text
from bimetal.keep.catalog import Found, Held, Sealed
from bimetal.keep.check import checks_of
from bimetal.keep.rows import Rows, held_in, join
from bimetal.keep.store import Store
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal

_GROUPS = (1 << 15, 1 << 16)
"""Rows in a row group. Reading a series takes whole groups, so those of many short series are small."""
_LONG = 1 << 11
"""So many rows make a series long."""
_DICTIONARY_BYTES = 1 << 17
_LEVEL = 6
_WAYS = {"time": ("DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"), "value": ("", "PLAIN", "BYTE_STREAM_SPLIT")}
"""How a column may be written; the empty one is by a dictionary."""
_FORMAT = "readings 1"
_NAME = re.compile(r"(\d{16})-(\d{16})-(\d{6})(-ns)?(?:-[0-9a-f]{8})?\.parquet")
Meaning = Callable[[str], Signal]
"""Says what a signal of this name means."""


def name_of(first: int, last: int, generation: int, tag: str = "", *, fine: bool = False) -> str:
    """Return the file name of the segment that holds batches first..last; a tag, 8 hex digits, is its own.

    `fine` says that its times are in nanoseconds.
    """
    return f"{first:016d}-{last:016d}-{generation:06d}{'-ns' if fine else ''}{tag and '-'}{tag}.parquet"


def is_fine(name: str) -> bool:
    """Say whether the times of a segment of this name are in nanoseconds."""
    match = _NAME.fullmatch(name)
    return match is not None and match[4] is not None


def needs_nanoseconds(time_ns: NDArray[np.int64]) -> bool:
    """Say whether any of these times is no whole number of microseconds."""
    return bool((time_ns % 1_000).any())


def span_of(name: str) -> tuple[int, int, int] | None:
    """Return first, last and generation of a file named like a segment, None for any other."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def group_for(rows: int, series: int) -> int:
    """Return how many rows a group of a file should have that holds so many rows of so many series."""
    return _GROUPS[rows >= _LONG * max(series, 1)]


def _schema(fine: bool) -> Any:
    return pa.schema(
        [
            pa.field("device", pa.dictionary(pa.int32(), pa.string())),
            pa.field("signal", pa.dictionary(pa.int32(), pa.string())),
            pa.field("time", pa.timestamp("ns" if fine else "us", tz="UTC")),
            pa.field("value", pa.float64()),
            pa.field("quality", pa.uint8()),
        ]
    )


def table_of(rows: Rows, fine: bool) -> Table:
    """Return rows as an Arrow table, the one that lies in the files; it names no series without rows.

    Times are in nanoseconds if `fine`, else in microseconds, as all of them must be then.
    """
    used, code = np.unique(rows.code, return_inverse=True)
    names = [_named([rows.series[k][part] for k in used.tolist()], code) for part in (0, 1)]
    schema = _schema(fine)
    time = pa.array(rows.time_ns if fine else rows.time_ns // 1_000).cast(schema.field("time").type)
    return pa.Table.from_arrays([*names, time, pa.array(rows.value), pa.array(rows.quality)], schema=schema)


def _named(names: list[str], code: NDArray[np.intp]) -> Any:
    texts = sorted(set(names))
    place = {text: k for k, text in enumerate(texts)}
    index = np.array([place[name] for name in names], np.int32)[code]
    return pa.DictionaryArray.from_arrays(pa.array(index), pa.array(texts, pa.string()))


def write_segment(
    store: Store, name: str, parts: Iterable[Rows], meaning: Meaning, group: int
) -> Found | None:
    """Put tidy rows, which come in parts, in place as a segment; returns what the catalog should say.

    Its name says whether times in it may need nanoseconds. Memory is bounded by a part and a group.
    Returns None, writing nothing, when there are no rows. Raises as `Store.new`.
    """
    span = span_of(name)
    assert span is not None, name
    groups = _regrouped(parts, group)
    first = next(groups, None)
    if first is None:
        return None
    with store.new(name) as new:
        held = _write(new, chain((first,), groups), first, meaning, is_fine(name))
        ends = _ends(pq.ParquetFile(new).metadata, new.stat().st_size)
        checks = checks_of(new, ends)
    rows = sum(h.rows for h in held)
    return Found(Sealed(name, *span, rows, ends[-1], checks), held)


def adopt_segment(path: Path) -> tuple[Found, tuple[Signal, ...]]:
    """Describe a segment file that the catalog does not know, from what is in it.

    Raises BadInput when it is none, or damaged.
    """
    span = span_of(path.name)
    with parsing(str(path)), pq.ParquetFile(path, page_checksum_verification=True) as file:
        marks: dict[bytes, bytes] = file.metadata.metadata or {}
        if span is None or marks.get(b"bimetal") != _FORMAT.encode():
            raise BadInput("this is not a segment of bimetal", where=str(path), hint="Move the file away")
        held = _gathered(held_in(_rows_of(t)) for t in file.iter_batches(_GROUPS[0]))
        ends = _ends(file.metadata, path.stat().st_size)
        signals = tuple(signal_of(v.decode()) for k, v in sorted(marks.items()) if k.startswith(b"signal "))
    rows = sum(h.rows for h in held)
    return Found(Sealed(path.name, *span, rows, ends[-1], checks_of(path, ends)), held), signals


def _write(new: Path, parts: Iterator[Rows], first: Rows, meaning: Meaning, fine: bool) -> tuple[Held, ...]:
    pieces: list[tuple[Held, ...]] = []
    with _writer(new, _schema(fine), _encodings(table_of(first, fine))) as writer:
        for rows in parts:
            assert fine or not needs_nanoseconds(rows.time_ns), new
            writer.write_table(table_of(rows, fine), row_group_size=len(rows))
            pieces.append(held_in(rows))
        held = _gathered(pieces)
        signals = {f"signal {name}": signal_text(meaning(name)) for name in sorted({h.signal for h in held})}
        writer.add_key_value_metadata({"bimetal": _FORMAT, **signals})
    return held


def _writer(sink: Any, schema: Any, encodings: Mapping[str, str]) -> Any:
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=[name for name in schema.names if name not in encodings],
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        column_encoding=dict(encodings),
        write_page_checksum=True,
    )


def _encodings(table: Table) -> dict[str, str]:
    """Say how times and values are written: each of the ways is tried on a group, and the smallest taken."""
    chosen = {name: min(ways, key=partial(_size, table, name)) for name, ways in _WAYS.items()}
    return {name: way for name, way in chosen.items() if way}


def _size(table: Table, name: str, way: str) -> int:
    column = table.select([name])
    sink = pa.BufferOutputStream()
    with _writer(sink, column.schema, {name: way} if way else {}) as writer:
        writer.write_table(column)
    return int(sink.getvalue().size)


def _regrouped(parts: Iterable[Rows], group: int) -> Iterator[Rows]:
    """Yield the same rows in parts of exactly `group` rows, but for the last."""
    waiting: list[Rows] = []
    count = 0
    for part in parts:
        waiting.append(part)
        count += len(part)
        if count >= group:
            whole = join(waiting)
            for at in range(0, count - group + 1, group):
                yield whole.part(slice(at, at + group))
            count %= group
            waiting = [whole.part(slice(len(whole) - count, None))]
    if count:
        yield join(waiting)


def _gathered(pieces: Iterable[tuple[Held, ...]]) -> tuple[Held, ...]:
    """Return what a file holds from what each of its parts, one after the other, holds."""
    found: list[Held] = []
    first = 0
    for piece in pieces:
        for h in piece:
            if found and (found[-1].device, found[-1].signal) == (h.device, h.signal):
                found[-1] = replace(found[-1], rows=found[-1].rows + h.rows, last_ns=h.last_ns)
            else:
                found.append(replace(h, start=first + h.start))
        first += sum(h.rows for h in piece)
    return tuple(found)


def _ends(meta: Any, size: int) -> list[int]:
    """Return where each row group ends, and the file."""
    starts = (_start(meta.row_group(k)) for k in range(1, meta.num_row_groups))
    last = meta.row_group(meta.num_row_groups - 1)
    return [
        *starts,
        _start(last) + sum(last.column(k).total_compressed_size for k in range(last.num_columns)),
        size,
    ]


def _start(group: Any) -> int:
    first = group.column(0)
    places = (first.dictionary_page_offset, first.data_page_offset)
    return int(min(place for place in places if place is not None))


def _rows_of(batch: Any) -> Rows:
    columns = [batch.column(name) for name in ("device", "signal")]
    coded = [c if pa.types.is_dictionary(c.type) else c.dictionary_encode() for c in columns]
    (device, devices), (signal, signals) = ((c.indices.to_numpy(), c.dictionary.to_pylist()) for c in coded)
    pairs, code = np.unique(device.astype(np.int64) * len(signals) + signal, return_inverse=True)
    return Rows(
        tuple((devices[k // len(signals)], signals[k % len(signals)]) for k in pairs.tolist()),
        code.astype(np.int32),
        nanoseconds(batch.column("time")),
        batch.column("value").to_numpy(),
        batch.column("quality").to_numpy(),
    )
