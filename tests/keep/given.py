"""Batches, events and folders that the tests of this room start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bimetal.keep.arrow import pq
from bimetal.keep.batch_bytes import from_bytes
from bimetal.keep.journal import read_journal
from bimetal.keep.quarantine import read_quarantine
from bimetal.nouns import Batch, Cause, Event, Kind, Reason, Signal

TEMPERATURE = Signal("temperature", "Cel", period_s=1.0)
PRESSURE = Signal("pressure", "bar", low=0.0, high=16.0)
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
SIGNALS = (TEMPERATURE, PRESSURE, Signal("größe α", "mm"))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any batch of up to three devices and the three SIGNALS, missing and infinite values among them."""
    rows = draw(st.integers(0, 12))
    device = draw(arrays.arrays(np.int32, rows, elements=st.integers(0, 2)))
    step = draw(arrays.arrays(np.int64, rows, elements=st.integers(1, 3)))
    values = draw(arrays.arrays(np.float64, (rows, 3), elements=st.floats(width=64)))
    return Batch(("a", "b", "ç"), SIGNALS, START + np.cumsum(step, dtype=np.int64), device, values)


def batch(
    rows: int,
    *,
    start: int = 0,
    devices: Sequence[str] = ("pump", "fan"),
    signals: Sequence[Signal] = (TEMPERATURE, PRESSURE),
    seed: int = 1,
) -> Batch:
    """Rows that go round the devices, one a second from START + start."""
    random = np.random.default_rng(seed + start)
    return Batch(
        tuple(devices),
        tuple(signals),
        START + (start + np.arange(rows, dtype=np.int64)) * SECOND,
        (np.arange(rows) % len(devices)).astype(np.int32),
        np.round(random.normal(20, 2, (rows, len(signals))), 3),
    )


def series(given: Batch, device: str, signal: str) -> dict[int, float]:
    """The readings of one series of a batch, by time."""
    column = [s.name for s in given.signals].index(signal)
    rows = given.rows_of(given.devices.index(device))
    pairs = zip(given.time_ns[rows].tolist(), given.values[rows, column].tolist(), strict=True)
    return {t: v for t, v in pairs if not np.isnan(v)}


def event(
    device: str = "pump", time_ns: int = START, kind: Kind = Kind.ALARM, sentence: str = "Hot."
) -> Event:
    """An event with two reasons."""
    reasons = (Reason("temperature", 0.7, 61.5, 18.0, 24.0, "Cel"), Reason("pressure", 0.2, 3.0, 1.0, 2.0))
    return Event(kind, device, time_ns, 2.5, True, Cause.PROCESS, reasons, sentence, time_ns - SECOND)


def flip(path: Path, at: int) -> None:
    """Change one bit of a file; a negative place counts from its end."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def texts_of(path: Path) -> list[bytes]:
    """The raw bytes of a kept file, and what they decode to."""
    texts = [path.read_bytes()]
    if path.suffix == ".parquet":
        texts.append(repr(pq.read_table(path, use_threads=False).to_pydict()).encode())
    if path.suffix == ".journal":
        texts += [repr(from_bytes(r.content)).encode() for r in read_journal(path).records]
    if path.parent.name == "quarantine" and path.suffix == ".jsonl":
        texts += [repr(m).encode() for m in read_quarantine(path.parent).messages]
    return texts
