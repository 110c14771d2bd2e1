"""Line: a message is lines of CSV under a header, `ts,temp,rpm`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import LARGEST_PAYLOAD, LONGEST_NAME, MOST_ROWS, MOST_SIGNALS, Decoded, Quarantined
from bimetal.wire.table.cell import Marks, number_of
from bimetal.wire.table.dialect import split_line
from bimetal.wire.table.stamp import read_counts, read_stamps

TIME = "ts"
MS_NS = 1_000_000
SHOWN = 40


class LineCodec:
    """Lines of comma-separated values under a header.

    The column `ts` holds milliseconds since 1970 UTC or ISO 8601; without it rows have when
    they were received. An empty cell is a missing value. A payload with a row that does not
    fit its header is quarantined as a whole.
    """

    name = "line"

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        columns: dict[str, int] = {}
        parts: list[tuple[int, list[int], list[int], list[list[float]]]] = []
        quarantined: list[Quarantined] = []
        for index, (payload, received) in enumerate(zip(payloads, received_ns, strict=True)):
            try:
                names, times, values = _rows(payload, received)
                fresh = [n for n in names if n not in columns]
                if len(columns) + len(fresh) > MOST_SIGNALS:
                    raise ValueError(f"it would make more than {MOST_SIGNALS} signals")
            except ValueError as refused:
                quarantined.append(Quarantined(index, str(refused)))
                continue
            for name in fresh:
                columns[name] = len(columns)
            parts.append((index, [columns[n] for n in names], times, values))
        count = sum(len(times) for _, _, times, _ in parts)
        table = np.full((count, len(columns)), np.nan)
        at = 0
        for _, places, times, values in parts:
            table[at : at + len(times), places] = values
            at += len(times)
        table[np.isinf(table)] = np.nan
        time_ns = np.array([t for _, _, times, _ in parts for t in times], dtype=np.int64)
        message = np.array([i for i, _, times, _ in parts for _ in times], dtype=np.int32)
        return Decoded(device, tuple(columns), time_ns, table, message, tuple(quarantined))

    def encode(self, batch: Batch) -> list[bytes]:
        """Return the batch as one payload, times to the nanosecond, missing values empty."""
        if not len(batch):
            return []
        lines = [",".join([TIME, *(_quoted(s.name) for s in batch.signals)])]
        for ns, row in zip(batch.time_ns.tolist(), batch.values.tolist(), strict=True):
            whole, part = divmod(ns, MS_NS)
            stamp = f"{whole}.{part:06d}".rstrip("0") if part else str(whole)
            lines.append(",".join([stamp, *("" if v != v else repr(v) for v in row)]))
        return ["\n".join([*lines, ""]).encode()]


def _rows(payload: bytes, received_ns: int) -> tuple[list[str], list[int], list[list[float]]]:
    """Return (signals, times, values) of one payload. Raises ValueError saying why there are none."""
    if len(payload) > LARGEST_PAYLOAD:
        raise ValueError(f"it is larger than {LARGEST_PAYLOAD >> 20} MB")
    try:
        lines = [line for line in payload.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None
    if not 2 <= len(lines) <= MOST_ROWS + 1:
        raise ValueError(
            "it has no row under a header" if len(lines) < 2 else f"it has more than {MOST_ROWS:,} rows"
        )
    header = [name.strip() for name in split_line(lines[0], ",")]
    _check_header(header)
    cells = [split_line(line, ",") for line in lines[1:]]
    for at, row in enumerate(cells):
        if len(row) != len(header):
            raise ValueError(f"its row {at + 1} has {len(row)} cells under {len(header)} names")
    places = [at for at, name in enumerate(header) if name != TIME]
    values = [[_number(row[at], n) for at in places] for n, row in enumerate(cells)]
    times = [received_ns] * len(cells)
    if TIME in header:
        times = _times([row[header.index(TIME)] for row in cells])
    return [header[at] for at in places], times, values


def _check_header(header: list[str]) -> None:
    if len(set(header)) < len(header):
        raise ValueError("its header names a signal twice")
    for name in header:
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise ValueError(f"a signal cannot be called {ascii(name)[:SHOWN]}")
        if number_of(name, Marks()) is not None:
            raise ValueError("it has no header")
    if header == [TIME]:
        raise ValueError("it has no signal beside ts")


def _number(cell: str, row: int) -> float:
    number = number_of(cell, Marks())
    if number is None:
        raise ValueError(f"{ascii(cell.strip())[:SHOWN]} in its row {row + 1} is no number")
    return number


def _times(cells: list[str]) -> list[int]:
    packed = np.array([c.strip().encode("utf-8", "replace")[:64] for c in cells])
    ns, ok = read_counts(packed, MS_NS, 0)
    if not ok.all():
        stamps = read_stamps(packed, "dmy")
        ns, ok = np.where(ok, ns, stamps.ns), ok | (stamps.ok & stamps.dated)
    if not ok.all() or int(ns.min()) < 0:
        raise ValueError("its ts is no time: milliseconds since 1970 are expected")
    return [int(t) for t in ns.tolist()]


def _quoted(name: str) -> str:
    if "," not in name and '"' not in name:
        return name
    return '"' + name.replace('"', '""') + '"'
