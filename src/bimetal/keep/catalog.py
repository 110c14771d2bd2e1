"""Catalog: which segments there are and what is in them, in SQLite.

Tables: `segment` (one row a file), `held` (one row a series in a file), `signal` (what each
signal means), `erasing` (devices whose erasure was begun and not finished), `fact` (`sealed`: the
last sequence number that segments hold; `pinned`: replay will be asked for after this one).
`PRAGMA user_version` is the format.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock

from bimetal.keep.asked import Asked
from bimetal.nouns.errors import BadInput, NotAllowed, Unsupported
from bimetal.nouns.signal import Signal

VERSION = 1
_TABLES = """
CREATE TABLE segment (
  name TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, generation INTEGER NOT NULL,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE held (
  segment TEXT NOT NULL REFERENCES segment(name) ON DELETE CASCADE, device TEXT NOT NULL,
  signal TEXT NOT NULL, rows INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  PRIMARY KEY (segment, device, signal)) WITHOUT ROWID;
CREATE INDEX held_by_series ON held (device, signal);
CREATE TABLE signal (
  name TEXT PRIMARY KEY, unit TEXT NOT NULL, quantity TEXT NOT NULL, period_s REAL NOT NULL,
  low REAL NOT NULL, high REAL NOT NULL);
CREATE TABLE erasing (device TEXT PRIMARY KEY);
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment file: its name, the batches it holds, and what its bytes must be."""

    name: str
    first: int
    last: int
    generation: int
    rows: int
    bytes: int
    crc: int


@dataclass(frozen=True, slots=True)
class Held:
    """A series that is kept: readings of one signal of one device, from first to last."""

    device: str
    signal: str
    rows: int
    first_ns: int
    last_ns: int


class Catalog:
    """The catalog of one folder; every change is durable and whole, or did not happen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        with self._words():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def fact(self, name: str) -> int | None:
        """Return a number that was noted under a name, None when none was."""
        with self._words():
            row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else None

    def note(self, name: str, value: int) -> None:
        """Note a number under a name."""
        with self._change() as db:
            db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def segments(self) -> tuple[Sealed, ...]:
        """Return all segments in the order of arrival."""
        with self._words():
            rows = self._db.execute("SELECT * FROM segment ORDER BY first, generation").fetchall()
        return tuple(Sealed(*row) for row in rows)

    def held(self, segment: str | None = None) -> tuple[Held, ...]:
        """Return the series in one segment, or in all of them together."""
        one = "SELECT device, signal, rows, first_ns, last_ns FROM held WHERE segment = ?"
        every = "SELECT device, signal, sum(rows), min(first_ns), max(last_ns) FROM held GROUP BY 1, 2"
        with self._words():
            found = (
                self._db.execute(f"{every} ORDER BY 1, 2")
                if segment is None
                else self._db.execute(f"{one} ORDER BY 1, 2", (segment,))
            )
            return tuple(Held(*row) for row in found.fetchall())

    def may_hold(self, segment: str, asked: Asked) -> bool:
        """Whether a segment may hold any of the readings that are asked for."""
        where = "segment = ? AND first_ns < ? AND last_ns >= ?"
        given: list[str | int] = [segment, asked.until_ns, asked.since_ns]
        for column, names in (("device", asked.devices), ("signal", asked.signals)):
            if names is not None:
                where += f" AND {column} IN (SELECT value FROM json_each(?))"
                given.append(json.dumps(names))
        with self._words():
            return self._db.execute(f"SELECT 1 FROM held WHERE {where} LIMIT 1", given).fetchone() is not None

    def signals(self) -> dict[str, Signal]:
        """Return every signal that was ever kept, by name."""
        with self._words():
            rows = self._db.execute("SELECT name, unit, quantity, period_s, low, high FROM signal").fetchall()
        return {row[0]: Signal(*row) for row in rows}

    def learn(self, signals: Iterable[Signal]) -> None:
        """Remember what signals mean; what was known of one of that name is replaced."""
        with self._change() as db:
            db.executemany(
                "INSERT OR REPLACE INTO signal VALUES (:name, :unit, :quantity, :period_s, :low, :high)",
                [asdict(s) for s in signals],
            )

    def replace(
        self, gone: Iterable[str], new: Iterable[tuple[Sealed, Iterable[Held]]], sealed: int | None = None
    ) -> None:
        """Take segments out, put others in, and move the sealed mark: all at once."""
        with self._change() as db:
            db.executemany("DELETE FROM segment WHERE name = ?", [(name,) for name in gone])
            for segment, held in new:
                db.execute(
                    "INSERT INTO segment VALUES (:name, :first, :last, :generation, :rows, :bytes, :crc)",
                    asdict(segment),
                )
                db.executemany(
                    "INSERT INTO held VALUES (:segment, :device, :signal, :rows, :first_ns, :last_ns)",
                    [{"segment": segment.name, **asdict(h)} for h in held],
                )
            if sealed is not None:
                db.execute("INSERT OR REPLACE INTO fact VALUES ('sealed', ?)", (sealed,))

    def erasing(self) -> tuple[str, ...]:
        """Return the devices whose erasure was begun and not finished."""
        with self._words():
            return tuple(row[0] for row in self._db.execute("SELECT device FROM erasing").fetchall())

    def begin_erasing(self, device: str) -> None:
        """Remember that a device is being erased, so that a power cut does not forget it."""
        with self._change() as db:
            db.execute("INSERT OR IGNORE INTO erasing VALUES (?)", (device,))

    def end_erasing(self, device: str) -> None:
        """Forget that a device was being erased, and signals nothing is kept of."""
        with self._change() as db:
            db.execute("DELETE FROM erasing WHERE device = ?", (device,))

    def forget_signals(self, still: Iterable[str]) -> None:
        """Forget the meaning of signals that no segment holds, but for those still needed."""
        kept = set(still)
        with self._change() as db:
            rows = db.execute(
                "SELECT name FROM signal WHERE name NOT IN (SELECT signal FROM held)"
            ).fetchall()
            gone = [(row[0],) for row in rows if row[0] not in kept]
            db.executemany("DELETE FROM signal WHERE name = ?", gone)

    def _open(self) -> None:
        with self._words():
            db = self._db
            # Rolled-back and deleted rows are overwritten, for erasure must reach this file too.
            for pragma in (
                "secure_delete = ON",
                "journal_mode = DELETE",
                "synchronous = EXTRA",
                "foreign_keys = ON",
            ):
                db.execute(f"PRAGMA {pragma}")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version > VERSION:
            raise Unsupported(
                f"this catalog has format {version}, and this bimetal reads up to {VERSION}",
                where=str(self.path),
                hint="Install the bimetal that wrote it, or a newer one",
            )
        if version == 0 and tables:
            raise BadInput(
                "this is not a catalog of bimetal", where=str(self.path), hint="Move the file away"
            )
        if version == 0:
            with self._words(), closing(db.cursor()) as cursor:
                cursor.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")

    @contextmanager
    def _change(self) -> Generator[sqlite3.Connection, None, None]:
        with self._words():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _words(self) -> Generator[None, None, None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise Unsupported(
                    f"the disk is full or failing: {error}", where=str(self.path), hint="Free some space"
                ) from error
            if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
                raise NotAllowed(
                    "the catalog cannot be written", where=str(self.path), hint="Choose a folder of yours"
                ) from error
            raise BadInput(
                f"the catalog cannot be used: {error}",
                where=str(self.path),
                hint="Move it away and open again: it is made anew from the segments",
            ) from error
