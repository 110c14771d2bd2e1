"""Catalog: which segments there are and what is in them, in SQLite, or in PostgreSQL for many writers.

Tables: `segment` (one row a file), `held` (one row a series in a file, with where it lies), `signal`
(what each signal means), `erasing` (devices whose erasure a writer has not finished), `fact`
(`sealed`: the last sequence number of a writer that segments hold; `pinned`: replay will be asked for
after this one). No reading is in two segments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from bimetal.keep.asked import Asked
from bimetal.keep.database import Busy, Change, Database, open_database, reading_database
from bimetal.nouns.signal import Signal

VERSION = 3
TABLES = """
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
CREATE TABLE erasing (
  device TEXT NOT NULL, writer TEXT NOT NULL DEFAULT '', PRIMARY KEY (device, writer));
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_UPGRADES = {2: "ALTER TABLE erasing ADD COLUMN writer TEXT NOT NULL DEFAULT '';"}
_OLDEST = 2
_SEGMENT = "SELECT name, first, last, generation, rows, bytes, checks FROM segment"
_HELD = "SELECT segment, device, signal, rows, held.first_ns, held.last_ns, start FROM held"
_LEARN = (
    "INSERT INTO signal VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET unit = excluded.unit,"
    " quantity = excluded.quantity, period_s = excluded.period_s, low = excluded.low,"
    " high = excluded.high, missing = excluded.missing"
)
_PATIENCE_S = 10.0
_SEALED = "sealed "


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
    """The catalog of the segments of one folder, or of several that share it; each is a `writer`.

    Every change is durable and whole, or did not happen. What concerns one folder alone is in `own`.
    """

    def __init__(
        self, database: Database, let_go: Callable[[], object], own: Database | None = None, writer: str = ""
    ) -> None:
        self._db = database
        self._let_go = let_go
        self._own = own or database
        self.writer = writer

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """Open the catalog of a folder that this process holds; raises as `open_database`."""
        database = open_database(path, TABLES, VERSION, _UPGRADES)
        return cls(database, database.close)

    @classmethod
    @contextmanager
    def reading(cls, path: Path) -> Generator[Catalog, None, None]:
        """Read a catalog beside whoever writes it, as it is at one instant; raises as `reading_database`."""
        with reading_database(path, TABLES, VERSION, _OLDEST) as database, database.look():
            yield cls(database, database.close)

    def close(self) -> None:
        """Let go of it."""
        self._let_go()

    @contextmanager
    def alone(self, what: str, patience_s: float = _PATIENCE_S) -> Generator[None, None, None]:
        """Let no other writer do the same meanwhile; raises Busy when one is at it for longer."""
        with self._db.alone(what, patience_s) as ours:
            if not ours:
                raise Busy("another server is changing what is kept", hint="Try again in a moment")
            yield

    def identity(self) -> int | None:
        """Return the number that the segments of this catalog bear, None when it has none."""
        return fact(self._db, "archive")

    def identify(self, number: int) -> int:
        """Give the catalog a number that its segments bear, and return it."""
        with self._db.change() as db:
            note(db, "archive", number)
        return number

    def sealed(self) -> int | None:
        """Return the last batch of this writer that segments hold, None when it never sealed any."""
        return fact(self._db, self._sealed)

    def pinned(self) -> int | None:
        """Return after which batch replay will be asked for, None when it will not."""
        return fact(self._own, "pinned")

    def pin(self, after: int) -> None:
        """Note after which batch replay will be asked for."""
        with self._own.change() as db:
            note(db, "pinned", after)

    def segments(self) -> tuple[Sealed, ...]:
        """Return all segments in the order of arrival."""
        return tuple(Sealed(*row) for row in self._db.rows(f"{_SEGMENT} ORDER BY first"))

    def place(self, first: int, last: int) -> tuple[int, int]:
        """Return the place in the order of arrival of what a writer is sealing, its batches first..last.

        Of one writer that is their numbers; of several, what is sealed next comes next.
        """
        if not self.writer:
            return first, last
        rows = self._db.rows("SELECT max(last) FROM segment")
        number = 1 + int(rows[0][0] or 0)
        return number, number

    def held(self) -> tuple[int, tuple[Held, ...]]:
        """Return the last sealed batch, and the series in all segments together."""
        count = "CAST(sum(rows) AS BIGINT)"
        every = f"SELECT device, signal, {count}, min(first_ns), max(last_ns) FROM held GROUP BY 1, 2"
        with self._db.look():
            rows = self._db.rows(f"{every} ORDER BY 1, 2")
            return self.sealed() or 0, tuple(Held(*row) for row in rows)

    def rows_by_device(self) -> dict[str, int]:
        """Return how many readings of each device segments hold."""
        return dict(self._db.rows("SELECT device, CAST(sum(rows) AS BIGINT) FROM held GROUP BY device"))

    def size(self) -> tuple[int, int]:
        """Return how many readings all segments hold, and their bytes."""
        sums = (f"CAST(coalesce(sum({what}), 0) AS BIGINT)" for what in ("rows", "bytes"))
        rows, size = self._db.rows(f"SELECT {', '.join(sums)} FROM segment")[0]
        return rows, size

    def find(self, asked: Asked) -> tuple[int, tuple[Found, ...]]:
        """Return the last sealed batch, and where what is asked for may lie, in the order of arrival."""
        where, given = "first_ns < ? AND last_ns >= ?", [asked.until_ns, asked.since_ns]
        names: list[str] = []
        for column, wanted in (("device", asked.devices), ("signal", asked.signals)):
            if wanted is not None:
                where += f" AND {column} IN ({self._db.dialect.texts})"
                names.append(json.dumps(wanted))
        with self._db.look():
            held = self._db.rows(f"{_HELD} WHERE {where} ORDER BY segment, start", (*given, *names))
            return self.sealed() or 0, self._found(held)

    def whole(self, names: Sequence[str]) -> tuple[Found, ...]:
        """Return segments with all that is in them, in the order of arrival."""
        chosen = f"segment IN ({self._db.dialect.texts})"
        with self._db.look():
            return self._found(
                self._db.rows(f"{_HELD} WHERE {chosen} ORDER BY segment, start", (json.dumps(list(names)),))
            )

    def overlapping(self, held: Iterable[Held], before: int) -> tuple[Found, ...]:
        """Return where segments of batches before a number hold the same series at the same times."""
        spans = json.dumps([[h.device, h.signal, h.first_ns, h.last_ns] for h in held])
        question = (
            f"{_HELD} JOIN ({self._db.dialect.spans}) AS asked"
            " ON device = d AND signal = s AND first_ns <= last AND last_ns >= first"
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
            db.executemany(_LEARN, [astuple(s) for s in signals])

    def replace(self, gone: Iterable[str], new: Iterable[Found], sealed: int | None = None) -> None:
        """Take segments out, put others in, and move the sealed mark: all at once."""
        with self._db.change() as db:
            db.executemany("DELETE FROM segment WHERE name = ?", [(name,) for name in gone])
            for found in new:
                db.execute("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(found.sealed))
                db.executemany(
                    "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        (found.sealed.name, h.device, h.signal, h.rows, h.first_ns, h.last_ns, h.start)
                        for h in found.held
                    ),
                )
            if sealed is not None:
                note(db, self._sealed, sealed)

    def erasing(self) -> tuple[str, ...]:
        """Return the devices whose erasure was begun and not finished by all."""
        return tuple(row[0] for row in self._db.rows("SELECT DISTINCT device FROM erasing"))

    def owed(self) -> tuple[str, ...]:
        """Return the devices whose erasure this writer has not finished."""
        rows = self._db.rows("SELECT device FROM erasing WHERE writer = ?", (self.writer,))
        return tuple(row[0] for row in rows)

    def owing(self, device: str) -> tuple[str, ...]:
        """Return the writers that have not finished the erasure of a device."""
        return tuple(r[0] for r in self._db.rows("SELECT writer FROM erasing WHERE device = ?", (device,)))

    def begin_erasing(self, device: str) -> None:
        """Remember that every writer is to erase a device, unless this one does so already."""
        if device in self.owed():
            return
        with self._db.change() as db:
            rows = [(device, writer) for writer in {self.writer, *self._writers()}]
            db.executemany("INSERT INTO erasing VALUES (?, ?) ON CONFLICT DO NOTHING", rows)

    def end_erasing(self, device: str) -> None:
        """Note that this writer has erased a device."""
        with self._db.change() as db:
            db.execute("DELETE FROM erasing WHERE device = ? AND writer = ?", (device, self.writer))

    def forget_signals(self, still: Iterable[str]) -> None:
        """Forget the meaning of signals that no segment holds, but for those still needed."""
        kept = set(still)
        with self._db.change() as db:
            rows = self._db.rows("SELECT name FROM signal WHERE name NOT IN (SELECT signal FROM held)")
            gone = [(row[0],) for row in rows if row[0] not in kept]
            db.executemany("DELETE FROM signal WHERE name = ?", gone)

    def _found(self, held: Sequence[tuple[str, str, str, int, int, int, int]]) -> tuple[Found, ...]:
        by_segment: dict[str, list[Held]] = {}
        for row in held:
            by_segment.setdefault(row[0], []).append(Held(*row[1:]))
        chosen = f"{_SEGMENT} WHERE name IN ({self._db.dialect.texts}) ORDER BY first"
        segments = (Sealed(*row) for row in self._db.rows(chosen, (json.dumps(list(by_segment)),)))
        return tuple(Found(s, tuple(by_segment[s.name])) for s in segments)

    @property
    def _sealed(self) -> str:
        return _SEALED + self.writer if self.writer else "sealed"

    def _writers(self) -> list[str]:
        rows = self._db.rows("SELECT name FROM fact")
        return [row[0][len(_SEALED) :] for row in rows if row[0].startswith(_SEALED)]


def fact(database: Database, name: str) -> int | None:
    """Return a number that was noted under a name, None when none was."""
    rows = database.rows("SELECT value FROM fact WHERE name = ?", (name,))
    return int(rows[0][0]) if rows else None


def note(db: Change, name: str, value: int) -> None:
    """Note a number under a name, in place of the one before."""
    again = "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    db.execute(f"INSERT INTO fact VALUES (?, ?) {again}", (name, value))


def together(found: Iterable[Held]) -> tuple[Held, ...]:
    """Return each series once, by device and signal, with all that was found of it."""
    series: dict[tuple[str, str], Held] = {}
    for h in found:
        key = h.device, h.signal
        old = series.get(key, Held(*key, 0, h.first_ns, h.last_ns))
        span = min(old.first_ns, h.first_ns), max(old.last_ns, h.last_ns)
        series[key] = Held(*key, old.rows + h.rows, *span)
    return tuple(series[key] for key in sorted(series))
