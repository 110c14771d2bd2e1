"""Arrow and Parquet: columns come in whole, and a few bytes that claim to be gigabytes do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from bimetal.wire.codec import Codec
from bimetal.wire.codecs.columnar import ArrowCodec, ParquetCodec
from bimetal.wire.codecs.columnar.size import unpacked_bytes

pa: Any = pyarrow
pq: Any = pyarrow.parquet
NOW_NS = 1_767_225_600_000_000_000
MS = 1_767_225_600_000


def arrow(table: Any, compression: str | None = None) -> bytes:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(
        sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)
    ) as out:
        out.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet(table: Any, compression: str | None = None) -> bytes:
    """A table as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=compression or "none")
    return sink.getvalue().to_pybytes()


BOTH = pytest.mark.parametrize(("codec", "write"), [(ArrowCodec(), arrow), (ParquetCodec(), parquet)])


@BOTH
@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "whole", "float"])
def test_times_of_every_unit_are_read(codec: Codec, write: Any, compression: str | None, unit: str) -> None:
    count = np.array([1_767_225_600, 1_767_225_601])
    if unit in ("whole", "float"):
        stamps = pa.array(count * 1000 if unit == "whole" else count * 1000 + 0.5)
    else:
        stamps = pa.array(count * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]).cast(
            pa.timestamp(unit)
        )
    columns = {
        "ts": stamps,
        "a": pa.array([1.5, None]),
        "b": pa.array([1, 2], pa.uint8()),
        "c": [True, False],
    }
    said = codec.decode("x", [write(pa.table(columns | {"word": ["x", "y"]}), compression)], [NOW_NS])
    assert said.quarantined == ()
    shift = 500_000 if unit == "float" else 0
    assert said.time_ns.tolist() == [1_767_225_600 * 10**9 + shift, 1_767_225_601 * 10**9 + shift]
    np.testing.assert_array_equal(said.values, [[1.5, 1, 1], [np.nan, 2, 0]])
    assert said.left_out == (("word", "text"),)


@BOTH
def test_payloads_with_other_columns_meet_in_one_table(codec: Codec, write: Any) -> None:
    one = pa.table({"ts": [MS], "a": [1.0]})
    two = pa.table({"b": [2.0], "a": [3.0]})
    said = codec.decode("x", [write(one), b"rubbish", write(two)], [NOW_NS, NOW_NS, NOW_NS + 7])
    assert said.signals == ("a", "b")
    assert said.time_ns.tolist() == [MS * 10**6, NOW_NS + 7]
    assert said.message.tolist() == [0, 2]
    np.testing.assert_array_equal(said.values, [[1.0, np.nan], [3.0, 2.0]])
    assert [q.index for q in said.quarantined] == [1]


@BOTH
@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"ts": [MS, None], "a": [1.0, 2.0]}, "no time"),
        ({"ts": [-1], "a": [1.0]}, "no time"),
        ({"ts": [2**62], "a": [1.0]}, "no time"),
        ({"ts": [float("nan")], "a": [1.0]}, "no time"),
        ({"ts": ["2026"], "a": [1.0]}, "no time"),
        ({"ts": [MS]}, "no row with a number"),
        ({"ts": [MS], "a": ["x"]}, "no row with a number"),
        ({"ts": np.arange(0), "a": np.arange(0.0)}, "no row with a number"),
        ({"ts": [MS], "a\nb": [1.0]}, "cannot be called"),
        ({"ts": np.zeros(100_001), "a": np.zeros(100_001)}, "100,000 rows"),
        ({f"s{k}": [1.0] for k in range(600)}, "512 signals"),
    ],
)
def test_what_cannot_be_used_is_set_aside_in_words(
    codec: Codec, write: Any, columns: dict[str, Any], why: str
) -> None:
    (found,) = codec.decode("x", [write(pa.table(columns))], [NOW_NS]).quarantined
    assert why in found.reason


@BOTH
@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_bomb_is_not_unpacked(codec: Codec, write: Any, compression: str) -> None:
    text = pa.array(["a" * 100_000_000])
    bomb = write(pa.table({"ts": [MS], "a": [1.0], "t": text}), compression)
    assert len(bomb) < 4 << 20
    before = pa.total_allocated_bytes()
    (found,) = codec.decode("x", [bomb], [NOW_NS]).quarantined
    assert "would become 95 MB" in found.reason
    assert pa.total_allocated_bytes() - before < 10 << 20


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_what_a_stream_becomes_is_reckoned(compression: str | None) -> None:
    table = pa.table({"a": np.zeros(50_000), "b": pa.array(["x", "y"] * 25_000).dictionary_encode()})
    found = unpacked_bytes(arrow(table, compression))
    assert 600_000 <= found <= 640_000


def test_a_stream_of_many_batches_is_bounded_as_a_whole() -> None:
    table = pa.table({"ts": np.full(150_000, MS), "a": np.zeros(150_000)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        for batch in table.to_batches(max_chunksize=50_000):
            out.write_batch(batch)
    (found,) = ArrowCodec().decode("x", [sink.getvalue().to_pybytes()], [NOW_NS]).quarantined
    assert "100,000 rows" in found.reason
