"""File: a stranger's data file, opened, understood, and read as batches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from bimetal.nouns.signal import Signal
from bimetal.wire.codecs.csv import CsvSource
from bimetal.wire.codecs.parquet import ParquetSource
from bimetal.wire.table.device import device_id
from bimetal.wire.table.encoding import PARQUET
from bimetal.wire.table.hints import Hints
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
        stem = path.name[: -len(".gz")] if path.name.endswith(".gz") else path.name
        return tap_path(path), device_id(Path(stem).stem)
    return tap_stream(data, STANDARD_INPUT), "stdin"


def _source(tap: Tap) -> Source:
    with tap.open() as stream:
        head = stream.read(4) if not tap.packed else b""
    return ParquetSource(tap) if head == PARQUET else CsvSource(tap)
