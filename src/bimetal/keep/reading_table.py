"""Reading table: batches as Arrow, wide in the journal and long in the segments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.arrow import Table, pa
from bimetal.keep.rule import Rule
from bimetal.nouns.batch import Batch
from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput
from bimetal.nouns.reading import Quality
from bimetal.nouns.signal import Signal

LONG: Any = pa.schema(
    [
        pa.field("device", pa.dictionary(pa.int32(), pa.string())),
        pa.field("signal", pa.dictionary(pa.int32(), pa.string())),
        pa.field("time", pa.timestamp("ns", tz="UTC")),
        pa.field("value", pa.float64()),
        pa.field("quality", pa.uint8()),
    ]
)
"""The table `readings`: one row a reading, as in every segment."""


def signal_text(signal: Signal) -> str:
    """Return a signal as JSON, the form it is kept in."""
    return json.dumps(asdict(signal))


def signal_of(text: str) -> Signal:
    """Return the signal a JSON text describes; raises BadInput when it is none."""
    try:
        return Signal(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise BadInput(f"this describes no signal: {error}") from None


def check_names(batch: Batch) -> None:
    """Raise BadInput when a device or signal has a name that cannot be kept, or two signals have one."""
    for device in batch.devices:
        check_device_id(device)
    names = [s.name for s in batch.signals]
    if len(set(names)) != len(names):
        raise BadInput("two signals of a batch have one name", hint="Rename one of them")
    for name in names:
        if not name.isprintable():
            raise BadInput(f"the signal name {name!a} holds a character that names cannot have")


def to_bytes(batch: Batch, quality: Quality) -> bytes:
    """Return a batch as one lz4 Arrow stream, devices without rows left out."""
    used, index = np.unique(batch.device, return_inverse=True)
    names = pa.array([batch.devices[k] for k in used], pa.string())
    columns = [
        pa.array(batch.time_ns),
        pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), names),
        *(pa.array(np.ascontiguousarray(column)) for column in batch.values.T),
    ]
    fields = [pa.field("time", pa.int64()), pa.field("device", columns[1].type)]
    fields += [
        pa.field(f"v{k}", pa.float64(), metadata={"signal": signal_text(s)})
        for k, s in enumerate(batch.signals)
    ]
    schema = pa.schema(fields, metadata={"quality": str(int(quality))})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as out:
        out.write_batch(pa.record_batch(columns, schema=schema))
    return sink.getvalue().to_pybytes()


def from_bytes(content: bytes) -> tuple[Batch, Quality]:
    """Return the batch that `to_bytes` wrote; raises BadInput when it is none."""
    try:
        with pa.ipc.open_stream(content) as stream:
            table = stream.read_next_batch()
        quality = Quality(int(table.schema.metadata[b"quality"]))
        signals = tuple(signal_of(f.metadata[b"signal"].decode()) for f in list(table.schema)[2:])
        device = table.column(1)
        values = np.empty((len(table), len(signals)))
        for k in range(len(signals)):
            values[:, k] = table.column(k + 2).to_numpy()
        batch = Batch(
            tuple(device.dictionary.to_pylist()),
            signals,
            table.column(0).to_numpy(),
            device.indices.to_numpy(),
            values,
        )
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, StopIteration) as error:
        raise BadInput(f"a kept batch cannot be read: {error}") from None
    return batch, quality


def long_of(batches: Sequence[tuple[Batch, Quality]]) -> Table:
    """Return the readings of many batches, in the order of arrival; missing ones are left out."""
    parts = [_long(batch, quality, k) for batch, quality in batches for k in range(len(batch.signals))]
    return pa.concat_tables(parts).unify_dictionaries() if parts else LONG.empty_table()


def _long(batch: Batch, quality: Quality, column: int) -> Table:
    values = batch.values[:, column]
    there = np.flatnonzero(~np.isnan(values))
    names = pa.array(list(batch.devices), pa.string())
    name = pa.array([batch.signals[column].name], pa.string())
    rows = len(there)
    return pa.Table.from_arrays(
        [
            pa.DictionaryArray.from_arrays(pa.array(batch.device[there]), names),
            pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), name),
            pa.array(batch.time_ns[there]).cast(pa.timestamp("ns", tz="UTC")),
            pa.array(values[there]),
            pa.array(np.full(rows, int(quality), np.uint8)),
        ],
        schema=LONG,
    )


def tidy(table: Table) -> Table:
    """Sort by device, signal and time; of readings with the same three, the last to arrive stays."""
    device, signal, time = coded(table, "device")[0], coded(table, "signal")[0], times(table)
    order = np.lexsort((time, signal, device))
    device, signal, time = device[order], signal[order], time[order]
    last = np.ones(len(order), bool)
    last[:-1] = (np.diff(device) != 0) | (np.diff(signal) != 0) | (np.diff(time) != 0)
    return table.take(pa.array(order[last]))


def coded(table: Table, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return a column of texts as numbers, and the distinct texts they stand for, in order."""
    column = table.column(name)
    if not len(column):
        return np.zeros(0, np.int64), []
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    every: list[str] = array.dictionary.to_pylist()
    index = array.indices.to_numpy()
    used = sorted(np.unique(index).tolist(), key=every.__getitem__)
    rank = np.zeros(len(every), np.int64)
    rank[used] = np.arange(len(used))
    return rank[index], [every[k] for k in used]


def times(table: Table) -> NDArray[np.int64]:
    """Return the column `time` in nanoseconds since 1970 UTC."""
    return table.column("time").cast(pa.int64()).to_numpy()


def pivot(table: Table, signals: Sequence[Signal]) -> Batch:
    """Return a tidy table as a batch ordered by device and time, one column a signal."""
    (device, names), (signal, present), time = coded(table, "device"), coded(table, "signal"), times(table)
    column_of = {s.name: k for k, s in enumerate(signals)}
    column = np.array([column_of[name] for name in present], np.int64)
    order = np.lexsort((time, device))
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(device[order]) != 0) | (np.diff(time[order]) != 0)
    row = np.empty(len(order), np.int64)
    row[order] = np.cumsum(fresh) - 1
    values = np.full((int(fresh.sum()), len(signals)), np.nan)
    values[row, column[signal]] = table.column("value").to_numpy()
    first = order[fresh]
    return Batch(tuple(names), tuple(signals), time[first], device[first].astype(np.int32), values)


def without(batch: Batch, rules: Sequence[Rule]) -> Batch:
    """Return a batch without what the rules say must go; rows left with nothing go too."""
    values = batch.values.copy()
    for rule in rules:
        rows = np.ones(len(batch), bool)
        if rule.device is not None:
            rows &= np.array([d == rule.device for d in batch.devices], bool)[batch.device]
        if rule.before_ns is not None:
            rows &= batch.time_ns < rule.before_ns
        columns = np.array([rule.signal in (None, s.name) for s in batch.signals], bool)
        values[np.ix_(rows, columns)] = np.nan
    stay = ~np.isnan(values).all(axis=1)
    used, index = np.unique(batch.device[stay], return_inverse=True)
    names = tuple(batch.devices[int(k)] for k in used)
    return Batch(names, batch.signals, batch.time_ns[stay], index.astype(np.int32), values[stay])


def doomed(table: Table, rules: Sequence[Rule]) -> NDArray[np.bool_]:
    """Say of each row whether any rule says it must go."""
    time = times(table)
    gone = np.zeros(len(table), bool)
    for rule in rules:
        hit = _is(table, "device", rule.device) & _is(table, "signal", rule.signal)
        gone |= hit if rule.before_ns is None else hit & (time < rule.before_ns)
    return gone


def _is(table: Table, name: str, text: str | None) -> NDArray[np.bool_]:
    if text is None:
        return np.ones(len(table), bool)
    codes, texts = coded(table, name)
    return codes == (texts.index(text) if text in texts else -1)
