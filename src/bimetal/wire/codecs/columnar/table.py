"""Table: Arrow IPC streams and Parquet files as messages, for devices and gateways that send in bulk.

A column `ts` holds times: a timestamp of any unit, or milliseconds since 1970 UTC. Columns of numbers
and booleans are signals; others are left out. What a payload would become is reckoned before it is
unpacked, for a few bytes can claim to be gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.parquet  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import LARGEST_PAYLOAD, MOST_ROWS, MOST_SIGNALS, Decoded, Quarantined
from bimetal.wire.codecs.columnar.size import unpacked_bytes
from bimetal.wire.harvest import LAST_MS, MS_NS, SHOWN, TIME, Refused, know

pa: Any = pyarrow
pq: Any = pyarrow.parquet

MOST_BYTES = 64 << 20
"""No payload may become more than this."""
_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_FAULTS = (
    pa.ArrowException,
    OSError,
    ValueError,
    OverflowError,
    KeyError,
    TypeError,
    IndexError,
    MemoryError,
)

_Read = Callable[[bytes], Any]


class ArrowCodec:
    """Arrow IPC streams (`application/vnd.apache.arrow.stream`), compressed or not."""

    name = "arrow"

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        return _decoded(device, payloads, _arrow_table, received_ns)

    def encode(self, batch: Batch) -> list[bytes]:
        """Return the batch as one stream, times to the nanosecond, missing values null."""
        table, sink = _table(batch), pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as out:
            out.write_table(table)
        return [sink.getvalue().to_pybytes()] if len(batch) else []


class ParquetCodec:
    """Parquet files (`application/vnd.apache.parquet`)."""

    name = "parquet"

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        return _decoded(device, payloads, _parquet_table, received_ns)

    def encode(self, batch: Batch) -> list[bytes]:
        """Return the batch as one file, times to the nanosecond, missing values null."""
        sink = pa.BufferOutputStream()
        pq.write_table(_table(batch), sink)
        return [sink.getvalue().to_pybytes()] if len(batch) else []


def _decoded(device: str, payloads: Sequence[bytes], read: _Read, received_ns: Sequence[int]) -> Decoded:
    columns: dict[str, int] = {}
    parts: list[tuple[int, NDArray[np.int64], dict[str, NDArray[np.float64]]]] = []
    quarantined: list[Quarantined] = []
    left_out: dict[str, str] = {}
    for index, (payload, received) in enumerate(zip(payloads, received_ns, strict=True)):
        try:
            time_ns, values = _rows(payload, read, received, left_out)
            know(tuple(values), columns)
        except Refused as refused:
            quarantined.append(Quarantined(index, str(refused)))
        else:
            parts.append((index, time_ns, values))
    counts = [len(time_ns) for _, time_ns, _ in parts]
    table = np.full((sum(counts), len(columns)), np.nan)
    at = 0
    for (_, _, values), count in zip(parts, counts, strict=True):
        for name, column in values.items():
            table[at : at + count, columns[name]] = column
        at += count
    table[np.isinf(table)] = np.nan
    return Decoded(
        device,
        tuple(columns),
        np.concatenate([np.empty(0, np.int64), *(time_ns for _, time_ns, _ in parts)]),
        table,
        np.repeat(np.array([i for i, _, _ in parts], np.int32), counts),
        tuple(quarantined),
        tuple(left_out.items()),
    )


def _rows(
    payload: bytes, read: _Read, received_ns: int, left_out: dict[str, str]
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Return the times and the signals of one payload. Raises Refused."""
    if len(payload) > LARGEST_PAYLOAD:
        raise Refused(f"it is larger than {LARGEST_PAYLOAD >> 20} MB")
    try:
        table = read(payload)
        names = table.schema.names
        if len(set(names)) < len(names):
            raise Refused("two of its columns have one name")
        values: dict[str, NDArray[np.float64]] = {}
        for name in names:
            kind = table.schema.field(name).type
            if name == TIME:
                continue
            if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
                values[name] = table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
            else:
                left_out.setdefault(name[:SHOWN], "text" if pa.types.is_string(kind) else "nested")
        stamps = table.column(TIME) if TIME in names else None
    except _FAULTS as error:
        raise Refused(
            f"it cannot be read: {str(error).splitlines()[0][:SHOWN] if str(error) else ''}"
        ) from None
    if not len(table) or not values:
        raise Refused("it has no row with a number")
    if stamps is None:
        return np.full(len(table), received_ns, np.int64), values
    return _times(stamps), values


def _times(column: Any) -> NDArray[np.int64]:
    """Return times in nanoseconds since 1970. Raises Refused."""
    refusal = Refused("its ts is no time: a timestamp or milliseconds since 1970 are expected")
    kind = column.type
    if column.null_count:
        raise refusal
    if pa.types.is_timestamp(kind):
        counts, unit_ns = column.cast(pa.int64()).to_numpy(), _UNIT_NS[kind.unit]
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        counts, unit_ns = column.to_numpy(zero_copy_only=False), MS_NS
    else:
        raise refusal
    last = LAST_MS * MS_NS // unit_ns
    if not ((counts >= 0) & (counts <= last)).all():
        raise refusal
    if np.issubdtype(counts.dtype, np.floating):
        whole = np.floor(counts)
        return whole.astype(np.int64) * unit_ns + np.rint((counts - whole) * unit_ns).astype(np.int64)
    return counts.astype(np.int64) * unit_ns


def _arrow_table(payload: bytes) -> Any:
    size = unpacked_bytes(payload)
    if size > MOST_BYTES:
        raise Refused(f"it would become {size >> 20:,} MB, and {MOST_BYTES >> 20} are the most")
    batches: list[Any] = []
    rows = 0
    with pa.ipc.open_stream(payload) as stream:
        _check_width(len(stream.schema))
        for batch in stream:
            batch.validate(full=True)
            rows += batch.num_rows
            _check_length(rows)
            batches.append(batch)
        return pa.Table.from_batches(batches, stream.schema)


def _parquet_table(payload: bytes) -> Any:
    file = pq.ParquetFile(pa.BufferReader(payload))
    about = file.metadata
    _check_width(about.num_columns)
    _check_length(about.num_rows)
    groups = [about.row_group(k) for k in range(about.num_row_groups)]
    size = sum(g.column(k).total_uncompressed_size for g in groups for k in range(about.num_columns))
    if not 0 <= size <= MOST_BYTES:
        raise Refused(f"it would become {size >> 20:,} MB, and {MOST_BYTES >> 20} are the most")
    table = file.read(use_threads=False)
    _check_length(table.num_rows)
    return table


def _check_length(rows: int) -> None:
    if rows > MOST_ROWS:
        raise Refused(f"it has more than {MOST_ROWS:,} rows")


def _check_width(columns: int) -> None:
    if columns > MOST_SIGNALS + 1:
        raise Refused(f"it would make more than {MOST_SIGNALS} signals")


def _table(batch: Batch) -> Any:
    stamps = pa.array(batch.time_ns).cast(pa.timestamp("ns"))
    columns = [pa.array(np.ascontiguousarray(c), from_pandas=True) for c in batch.values.T]
    return pa.table([stamps, *columns], names=[TIME, *(s.name for s in batch.signals)])
