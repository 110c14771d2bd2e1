"""File: a stranger's data file, opened, understood, and read as batches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.codecs.csv import CsvSource
from bimetal.wire.codecs.parquet import ParquetSource
from bimetal.wire.table.device import device_id
from bimetal.wire.table.encoding import PARQUET
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.several import Tables
from bimetal.wire.table.source import Source
from bimetal.wire.table.table import Table
from bimetal.wire.table.tap import Tap, tap_path, tap_stream

STANDARD_INPUT = "standard input"


def open_table(
    data: str | Path | BinaryIO, hints: Hints | None = None, *, expect: Sequence[Signal] | None = None
) -> Table:
    """Open a CSV or Parquet file and find out what is in it; nothing needs to be configured.

    `data` is a path, `-` for standard input, or a binary stream; both of these are read to
    their end first. `hints` name columns that need not be found out. With `expect`, a trained
    model's signals, the table's columns are matched to them by name.

    Raises NotFound when there is no such file, and BadInput, in one sentence with what to try,
    for everything else that keeps it from being read as a table.
    """
    tap, name = _tap(data)
    return Table(_source(tap), name, hints or Hints(), expect)


def _tap(data: str | Path | BinaryIO) -> tuple[Tap, str]:
    if isinstance(data, str | Path):
        if str(data) == "-":
            return tap_stream(sys.stdin.buffer, STANDARD_INPUT), "stdin"
        path = Path(data)
        return tap_path(path), _device_of(path)
    return tap_stream(data, STANDARD_INPUT), "stdin"


def _device_of(path: Path) -> str:
    """Name a device after its file, with the folder where the file is a mere number."""
    stem = Path(path.name.removesuffix(".gz")).stem
    bare = not any(c.isalpha() for c in stem)
    return device_id(f"{path.absolute().parent.name}_{stem}" if bare else stem)


def _source(tap: Tap) -> Source:
    with tap.open() as stream:
        head = stream.read(4) if not tap.packed else b""
    return ParquetSource(tap) if head == PARQUET else CsvSource(tap)


def open_tables(
    data: Sequence[str | Path], hints: Hints | None = None, *, expect: Sequence[Signal] | None = None
) -> Tables:
    """Open several files with the same signals as one table; each file is a device named after it.

    A signal that stands still in some of the files is kept if it moves in another. Raises as
    open_table does, and BadInput when a file lacks most of the others' signals.
    """
    hints = hints or Hints()
    taps = [_tap(d) for d in data]
    names = _unlike([Path(d) for d in data], [name for _, name in taps])
    signals = (
        expect if expect is not None or len(data) == 1 else _all_signals([tap for tap, _ in taps], hints)
    )
    return Tables([Table(_source(tap), n, hints, signals) for (tap, _), n in zip(taps, names, strict=True)])


def _all_signals(taps: Sequence[Tap], hints: Hints) -> tuple[Signal, ...]:
    """Return every signal that moves in at least one of the files, in the order they first come."""
    signals: dict[str, Signal] = {}
    refused: BadInput | None = None
    for tap in taps:
        try:
            shape = Table(_source(tap), "", hints).shape
        except BadInput as error:
            refused = refused or error
            continue
        for signal in shape.signals:
            signals.setdefault(signal.name, signal)
    if not signals and refused:
        raise refused
    return tuple(signals.values())


def _unlike(paths: Sequence[Path], names: Sequence[str]) -> list[str]:
    """Name devices after their files, with the folder where two files are called the same."""
    if len(set(names)) == len(names):
        return list(names)
    longer = [device_id(f"{p.parent.name}_{n}") for p, n in zip(paths, names, strict=True)]
    count = [longer[:at].count(n) for at, n in enumerate(longer)]
    return [f"{n}_{c + 1}" if c else n for n, c in zip(longer, count, strict=True)]
