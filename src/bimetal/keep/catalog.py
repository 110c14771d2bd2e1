"""Catalog: which segments there are and what is in them, in SQLite.

Tables: `segment` (one row a file), `held` (one row a series in a file, with where it lies), `signal`
(what each signal means), `erasing` (devices whose erasure was begun and not finished), `fact`
(`sealed`: the last sequence number that segments hold; `pinned`: replay will be asked for after this
one). `PRAGMA user_version` is the format. No reading is in two segments.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bimetal.keep.asked import Asked
from bimetal.keep.database import Database, open_database, reading_database
from bimetal.nouns.signal import Signal

VERSION = 2
_TABLES = """
CREATE TABLE segment (
  name TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, generation INTEGER NOT NULL,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checks BLOB NOT NULL);
CREATE TABLE held (
  segment TEXT NOT NULL REFERENCES segment(name) ON DELETE CASCADE, device TEXT NOT NULL,
  signal TEXT NOT NULL, rows INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  start INTEGER NOT NULL, PRIMARY KEY (segment, device, signal)) WITHOUT ROWID;
CREATE INDEX held_by_series ON held (device, signal);
CREATE TABLE signal (
  name TEXT PRIMARY KEY, unit TEXT NOT NULL, quantity TEXT NOT NULL, period_s REAL NOT NULL,
  low REAL NOT NULL, high REAL NOT NULL, missing REAL);
CREATE TABLE erasing (device TEXT PRIMARY KEY);
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_HELD = "SELECT segment, device, signal, rows, held.first_ns, held.last_ns, start FROM held"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment file: its name, the batches it holds, and what its bytes must be (see check.py)."""

    name: str
    first: int
    last: int
    generation: int
    rows: int
    bytes: int
    checks: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A series that is kept: readings of one signal of one device, from first to last.

    In a segment, `start` is the number of its first row.
    """

    device: str
    signal: str
    rows: int
    first_ns: int
    last_ns: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A segment with the stretches of it that may hold what is asked for, in the order they lie."""

    sealed: Sealed
    held: tuple[Held, ...]


class Catalog:
    """The catalog of one folder; every change is durable and whole, or did not happen."""

    def __init__(self, database: Database) -> None:
        self.path = database.path
        self._db = database

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """Open the catalog of a folder that this process holds; raises as `open_database`."""
        return cls(open_database(path, _TABLES, VERSION))

    @classmethod
    @contextmanager
    def reading(cls, path: Path) -> Generator[Catalog, None, None]:
        """Read a catalog beside whoever writes it, as it is at one instant; raises as `reading_database`."""
        with reading_database(path, _TABLES, VERSION) as database, database.look():
            yield cls(database)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def fact(self, name: str) -> int | None:
        """Return a number that was noted under a name, None when none was."""
        rows = self._db.rows("SELECT value FROM fact WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else None

    def note(self, name: str, value: int) -> None:
        """Note a number under a name."""
        with self._db.change() as db:
            db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def segments(self) -> tuple[Sealed, ...]:
        """Return all segments in the order of arrival."""
        return tuple(Sealed(*row) for row in self._db.rows("SELECT * FROM segment ORDER BY first"))

    def held(self) -> tuple[int, tuple[Held, ...]]:
        """Return the last sealed batch, and the series in all segments together."""
        every = "SELECT device, signal, sum(rows), min(first_ns), max(last_ns) FROM held GROUP BY 1, 2"
        with self._db.look():
            rows = self._db.rows(f"{every} ORDER BY 1, 2")
            return self.fact("sealed") or 0, tuple(Held(*row) for row in rows)

    def find(self, asked: Asked) -> tuple[int, tuple[Found, ...]]:
        """Return the last sealed batch, and where what is asked for may lie, in the order of arrival."""
        where, given = "first_ns < ? AND last_ns >= ?", [asked.until_ns, asked.since_ns]
        names: list[str] = []
        for column, wanted in (("device", asked.devices), ("signal", asked.signals)):
            if wanted is not None:
                where += f" AND {column} IN (SELECT value FROM json_each(?))"
                names.append(json.dumps(wanted))
        with self._db.look():
            held = self._db.rows(f"{_HELD} WHERE {where} ORDER BY segment, start", (*given, *names))
            return self.fact("sealed") or 0, self._found(held)

    def whole(self, names: Sequence[str]) -> tuple[Found, ...]:
        """Return segments with all that is in them, in the order of arrival."""
        chosen = "segment IN (SELECT value FROM json_each(?))"
        with self._db.look():
            return self._found(
                self._db.rows(f"{_HELD} WHERE {chosen} ORDER BY segment, start", (json.dumps(names),))
            )

    def overlapping(self, held: Iterable[Held], before: int) -> tuple[Found, ...]:
        """Return where segments of batches before a number hold the same series at the same times."""
        spans = json.dumps([[h.device, h.signal, h.first_ns, h.last_ns] for h in held])
        parts = (
            f"json_extract(value, '$[{k}]') AS {name}" for k, name in enumerate(("d", "s", "first", "last"))
        )
        asked = f"SELECT {', '.join(parts)} FROM json_each(?)"
        question = (
            f"{_HELD} JOIN ({asked}) ON device = d AND signal = s AND first_ns <= last AND last_ns >= first"
            " WHERE segment IN (SELECT name FROM segment WHERE segment.first < ?) ORDER BY segment, start"
        )
        with self._db.look():
            return self._found(self._db.rows(question, (spans, before)))

    def signals(self) -> dict[str, Signal]:
        """Return every signal that was ever kept, by name."""
        rows = self._db.rows("SELECT name, unit, quantity, period_s, low, high, missing FROM signal")
        return {row[0]: Signal(*row) for row in rows}

    def learn(self, signals: Iterable[Signal]) -> None:
        """Remember what signals mean; what was known of one of that name is replaced."""
        with self._db.change() as db:
            db.executemany(
                "INSERT OR REPLACE INTO signal VALUES"
                " (:name, :unit, :quantity, :period_s, :low, :high, :missing)",
                [asdict(s) for s in signals],
            )

    def replace(self, gone: Iterable[str], new: Iterable[Found], sealed: int | None = None) -> None:
        """Take segments out, put others in, and move the sealed mark: all at once."""
        with self._db.change() as db:
            db.executemany("DELETE FROM segment WHERE name = ?", [(name,) for name in gone])
            for found in new:
                db.execute(
                    "INSERT INTO segment VALUES (:name, :first, :last, :generation, :rows, :bytes, :checks)",
                    asdict(found.sealed),
                )
                db.executemany(
                    "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        (found.sealed.name, h.device, h.signal, h.rows, h.first_ns, h.last_ns, h.start)
                        for h in found.held
                    ),
                )
            if sealed is not None:
                db.execute("INSERT OR REPLACE INTO fact VALUES ('sealed', ?)", (sealed,))

    def erasing(self) -> tuple[str, ...]:
        """Return the devices whose erasure was begun and not finished."""
        return tuple(row[0] for row in self._db.rows("SELECT device FROM erasing"))

    def begin_erasing(self, device: str) -> None:
        """Remember that a device is being erased, so that a power cut does not forget it."""
        with self._db.change() as db:
            db.execute("INSERT OR IGNORE INTO erasing VALUES (?)", (device,))

    def end_erasing(self, device: str) -> None:
        """Forget that a device was being erased."""
        with self._db.change() as db:
            db.execute("DELETE FROM erasing WHERE device = ?", (device,))

    def forget_signals(self, still: Iterable[str]) -> None:
        """Forget the meaning of signals that no segment holds, but for those still needed."""
        kept = set(still)
        with self._db.change() as db:
            rows = db.execute(
                "SELECT name FROM signal WHERE name NOT IN (SELECT signal FROM held)"
            ).fetchall()
            gone = [(row[0],) for row in rows if row[0] not in kept]
            db.executemany("DELETE FROM signal WHERE name = ?", gone)

    def _found(self, held: Sequence[tuple[str, str, str, int, int, int, int]]) -> tuple[Found, ...]:
        by_segment: dict[str, list[Held]] = {}
        for row in held:
            by_segment.setdefault(row[0], []).append(Held(*row[1:]))
        return tuple(Found(s, tuple(by_segment[s.name])) for s in self.segments() if s.name in by_segment)


def together(found: Iterable[Held]) -> tuple[Held, ...]:
    """Return each series once, by device and signal, with all that was found of it."""
    series: dict[tuple[str, str], Held] = {}
    for h in found:
        key = h.device, h.signal
        old = series.get(key, Held(*key, 0, h.first_ns, h.last_ns))
        span = min(old.first_ns, h.first_ns), max(old.last_ns, h.last_ns)
        series[key] = Held(*key, old.rows + h.rows, *span)
    return tuple(series[key] for key in sorted(series))
