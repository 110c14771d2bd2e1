"""Peers: the same readings in a DuckDB table and in SQLite, each as its users would keep them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from bimetal.keep.rows import rows_of
from bimetal.keep.segment_file import table_of
from bimetal.nouns import Batch, Quality

DAY_NS = 86_400_000_000_000


class Peer(Protocol):
    """A store to compare with; `append` returns when a kill could not lose the batch."""

    name: str

    def append(self, batch: Batch) -> None:
        """Keep a batch."""
        ...

    def day(self, device: str, signal: str, since_ns: int) -> int:
        """Read 24 hours of one series; returns how many readings."""
        ...

    def bytes(self) -> int:
        """What it takes on disk, closed and as small as it makes itself."""
        ...


class Duck:
    """A DuckDB table, one transaction a batch."""

    name = "DuckDB table"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "peer.duckdb"
        self._db = duckdb.connect(str(self._path))
        self._db.execute(
            "CREATE TABLE readings (device VARCHAR, signal VARCHAR, time TIMESTAMP_NS, value DOUBLE,"
            " quality UTINYINT)"
        )

    def append(self, batch: Batch) -> None:
        """Keep a batch."""
        arriving = table_of(rows_of([(batch, Quality.GOOD)]), fine=True)
        arriving = arriving.set_column(2, "time", arriving.column("time").cast(pa.timestamp("ns")))
        self._db.register("arriving", arriving)
        self._db.execute("INSERT INTO readings SELECT * FROM arriving")
        self._db.unregister("arriving")

    def day(self, device: str, signal: str, since_ns: int) -> int:
        """Read 24 hours of one series."""
        asked = (
            "SELECT time, value, quality FROM readings WHERE device = ? AND signal = ?"
            " AND time >= make_timestamp_ns(?) AND time < make_timestamp_ns(?) ORDER BY time"
        )
        found = self._db.execute(asked, [device, signal, since_ns, since_ns + DAY_NS]).fetchnumpy()
        return len(found["value"])

    def bytes(self) -> int:
        """What the file takes after a checkpoint."""
        self._db.execute("CHECKPOINT")
        self._db.close()
        return self._path.stat().st_size


class Lite:
    """SQLite with numbers for names and a clustered key, one transaction a batch, synced."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "peer.sqlite"
        self._db = sqlite3.connect(self._path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(
            "CREATE TABLE readings (series INTEGER, time INTEGER, value REAL, quality INTEGER,"
            " PRIMARY KEY (series, time)) WITHOUT ROWID"
        )
        self._number: dict[tuple[str, str], int] = {}

    def append(self, batch: Batch) -> None:
        """Keep a batch."""
        rows = rows_of([(batch, Quality.GOOD)])
        number = [self._number.setdefault(s, len(self._number)) for s in rows.series]
        series = [number[code] for code in rows.code.tolist()]
        given = zip(series, rows.time_ns.tolist(), rows.value.tolist(), rows.quality.tolist(), strict=True)
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", given)
        self._db.execute("COMMIT")

    def day(self, device: str, signal: str, since_ns: int) -> int:
        """Read 24 hours of one series."""
        asked = "SELECT time, value, quality FROM readings WHERE series = ? AND time >= ? AND time < ?"
        number = self._number[device, signal]
        return len(self._db.execute(asked, (number, since_ns, since_ns + DAY_NS)).fetchall())

    def bytes(self) -> int:
        """What the file takes after a checkpoint."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()
        return self._path.stat().st_size
