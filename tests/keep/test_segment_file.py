"""Segment files: any Parquet reader opens them, they take little room, and they describe themselves."""

from __future__ import annotations

import importlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.keep.arrow import pq
from bimetal.keep.catalog import Found
from bimetal.keep.rows import Rows, join, rows_of, tidy
from bimetal.keep.sealed_file import SealedFile
from bimetal.keep.segment_file import (
    adopt_segment,
    is_fine,
    name_of,
    needs_nanoseconds,
    span_of,
    write_segment,
)
from bimetal.keep.store import Folder
from bimetal.nouns import Batch, Quality, Signal
from bimetal.nouns.errors import BadInput
from tests.keep.given import PRESSURE, SECOND, START, TEMPERATURE, batch, batches

MEANING = {s.name: s for s in (TEMPERATURE, PRESSURE)}


def meaning(name: str) -> Signal:
    return MEANING.get(name) or Signal(name)


def written(folder: Path, rows: Rows, group: int, parts: int = 1) -> Found:
    pieces = [
        rows.part(slice(a[0], a[-1] + 1)) for a in np.array_split(np.arange(len(rows)), parts) if len(a)
    ]
    name = name_of(1, 2, 0, fine=needs_nanoseconds(rows.time_ns))
    found = write_segment(Folder(folder), name, pieces, meaning, group)
    assert found is not None
    return found


def same(a: Rows, b: Rows) -> bool:
    names = [[r.series[c] for c in r.code.tolist()] for r in (a, b)]
    columns = [(r.time_ns.tolist(), r.value.tolist(), r.quality.tolist()) for r in (a, b)]
    return names[0] == names[1] and columns[0] == columns[1]


@settings(max_examples=40)
@given(st.lists(batches(), min_size=1, max_size=3), st.integers(1, 20), st.integers(1, 5))
def test_what_is_written_is_read_whatever_the_groups(
    tmp_path_factory: pytest.TempPathFactory, given_batches: list[Batch], group: int, parts: int
) -> None:
    folder = tmp_path_factory.mktemp("segments")
    rows = tidy(rows_of((b, Quality(k)) for k, b in enumerate(given_batches)))
    if not len(rows):
        assert write_segment(Folder(folder), name_of(1, 2, 0), [rows], meaning, group) is None
        assert list(folder.iterdir()) == []
        return
    found = written(folder, rows, group, parts)
    with closing(SealedFile(Folder(folder), found.sealed)) as file:
        assert same(file.rows(found.held), rows)
        middle = int(rows.time_ns[len(rows) // 2])
        early = file.rows(found.held, until_ns=middle)
        late = file.rows(found.held, since_ns=middle)
        assert same(tidy(join([late, early])), rows)
        assert (early.time_ns < middle).all()
    adopted, signals = adopt_segment(folder / found.sealed.name)
    assert adopted == found
    assert {s.name for s in signals} == {name for _, name in rows.series}


def test_times_that_are_regular_and_values_that_repeat_take_little_room(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = 20_000
    values = np.round(20 + np.cumsum(random.normal(0, 0.02, (rows, 2)), axis=0), 1)
    regular = START + np.arange(rows, dtype=np.int64) * SECOND
    device = np.zeros(rows, np.int32)
    whole = Batch(("pump",), (TEMPERATURE, PRESSURE), regular, device, values)
    found = written(tmp_path, tidy(rows_of([(whole, Quality.GOOD)])), 1 << 15)
    assert found.sealed.bytes / found.sealed.rows < 1.0


def test_times_shared_by_signals_are_not_paid_for_twice(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows, signals = 800, tuple(Signal(f"s{k}") for k in range(8))
    times = START + np.arange(rows, dtype=np.int64) * SECOND + random.integers(0, SECOND // 2, rows)
    whole = Batch(("pump",), signals, times, np.zeros(rows, np.int32), np.ones((rows, 8)))
    found = written(tmp_path, tidy(rows_of([(whole, Quality.GOOD)])), 1 << 15)
    assert found.sealed.bytes / found.sealed.rows < 2.0
    meta = pq.read_metadata(tmp_path / found.sealed.name)
    assert "BYTE_STREAM_SPLIT" in meta.row_group(0).column(2).encodings


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{1:016d}-{2:016d}-000000.parquet"
    pq.write_table(importlib.import_module("pyarrow").table({"a": [1]}), path)
    with pytest.raises(BadInput, match="not a segment"):
        adopt_segment(path)


def test_times_are_in_microseconds_unless_one_is_finer(tmp_path: Path) -> None:
    rows = tidy(rows_of([(batch(50), Quality.GOOD)]))
    rows = replace(rows, time_ns=rows.time_ns + 1_000)
    finer = replace(rows, time_ns=rows.time_ns + (np.arange(len(rows)) == 3) * 7)
    for given_rows, unit in ((rows, "us"), (finer, "ns")):
        name = written(tmp_path, given_rows, 16).sealed.name
        assert pq.read_schema(tmp_path / name).field("time").type.unit == unit
        assert (is_fine(name), span_of(name)) == (unit == "ns", (1, 2, 0))
        found, _ = adopt_segment(tmp_path / name)
        with closing(SealedFile(Folder(tmp_path), found.sealed)) as file:
            assert same(file.rows(found.held), given_rows)


@pytest.mark.parametrize("reader", ["pyarrow", "pandas", "polars", "duckdb"])
def test_any_reader_opens_it_unchanged(reader: str, tmp_path: Path) -> None:
    try:
        module = importlib.import_module(reader)
    except ModuleNotFoundError:
        pytest.skip(f"needs {reader}, which is not installed here")
    rows = tidy(rows_of([(batch(50), Quality.DOUBTFUL)]))
    path = tmp_path / written(tmp_path, rows, 16).sealed.name
    expected = [
        (*rows.series[c], t, v, q)
        for c, t, v, q in zip(
            rows.code.tolist(), rows.time_ns.tolist(), rows.value.tolist(), rows.quality.tolist(), strict=True
        )
    ]
    read = {
        "pyarrow": lambda: _arrow(pq.read_table(path)),
        "pandas": lambda: _pandas(module.read_parquet(path)),
        "polars": lambda: _arrow(module.read_parquet(path).to_arrow()),
        "duckdb": lambda: module.sql(
            f"SELECT device, signal, epoch_ns(time), value, quality FROM '{path}'"
        ).fetchall(),
    }[reader]()
    assert read == expected


def _arrow(table: object) -> list[tuple[object, ...]]:
    pa = importlib.import_module("pyarrow")
    names = ("device", "signal", "time", "value", "quality")
    columns = [table.column(n) for n in names]  # type: ignore[attr-defined]
    columns[2] = columns[2].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())
    return list(zip(*(c.to_pylist() for c in columns), strict=True))


def _pandas(frame: object) -> list[tuple[object, ...]]:
    times = [t.value for t in frame["time"]]  # type: ignore[index]
    rest = [list(frame[n]) for n in ("device", "signal", "value", "quality")]  # type: ignore[index]
    return list(zip(rest[0], rest[1], times, rest[2], rest[3], strict=True))
