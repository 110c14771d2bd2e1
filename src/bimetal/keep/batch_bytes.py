"""Batch bytes: a batch as one Arrow stream, packed with lz4 if it is long, the form it has in the journal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from bimetal.keep.arrow import pa
from bimetal.keep.rule import Rule
from bimetal.nouns.batch import Batch, those_named
from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput
from bimetal.nouns.reading import Quality
from bimetal.nouns.signal import Signal

_WORTH_PACKING = 256
"""Fewer values than this take less as they are."""


@lru_cache(4096)
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


def to_bytes(batch: Batch, quality: Quality, arrived_ns: int | None = None) -> bytes:
    """Return a batch as one Arrow stream, devices without rows left out, with when it arrived."""
    names, device = those_named(batch.devices, batch.device)
    columns = [
        pa.array(batch.time_ns),
        pa.DictionaryArray.from_arrays(pa.array(device), pa.array(names, pa.string())),
        *(pa.array(np.ascontiguousarray(column)) for column in batch.values.T),
    ]
    metadata = {"quality": str(int(quality))}
    if arrived_ns is not None:
        metadata["arrived"] = str(arrived_ns)
    schema = _schema(batch.signals).with_metadata(metadata)
    sink = pa.BufferOutputStream()
    compression = "lz4" if batch.values.size >= _WORTH_PACKING else None
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as out:
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


@lru_cache(64)
def _schema(signals: tuple[Signal, ...]) -> Any:
    fields = [pa.field("time", pa.int64()), pa.field("device", pa.dictionary(pa.int32(), pa.string()))]
    fields += [
        pa.field(f"v{k}", pa.float64(), metadata={"signal": signal_text(s)}) for k, s in enumerate(signals)
    ]
    return pa.schema(fields)


def arrival_of(content: bytes) -> int | None:
    """Return when a batch in these bytes arrived, None when nobody noted it; raises as `from_bytes`."""
    try:
        with pa.ipc.open_stream(content) as stream:
            arrived = stream.schema.metadata.get(b"arrived")
        return None if arrived is None else int(arrived)
    except (pa.ArrowException, OSError, AttributeError, ValueError) as error:
        raise BadInput(f"a kept batch cannot be read: {error}") from None


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
    names, device = those_named(batch.devices, batch.device[stay])
    return Batch(names, batch.signals, batch.time_ns[stay], device, values[stay])
