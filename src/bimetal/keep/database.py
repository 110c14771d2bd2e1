"""Database: tables whose changes are durable and whole, and whose errors come in words; here in SQLite."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Protocol

from bimetal.keep.disk import in_words
from bimetal.nouns.errors import BadInput, NotAllowed, NotFound, Unsupported

_PATIENCE_S = 5.0
"""How long to wait for somebody else's change to end."""
_UNFINISHED = 776
"""SQLITE_READONLY_ROLLBACK: a change was cut short, and may not be undone here."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What databases spell differently: the rows of a JSON text that is given as one value.

    `texts` has a column `value`; `spans`, of [text, text, number, number], has `d`, `s`, `first` and `last`.
    """

    texts: str
    spans: str


class Change(Protocol):
    """A change that is being made."""

    def execute(self, statement: str, given: Sequence[object], /) -> object:
        """Do one thing."""
        ...

    def executemany(self, statement: str, given: Iterable[Sequence[object]], /) -> object:
        """Do one thing again and again."""
        ...


class Database(Protocol):
    """Tables that the threads of a process may share; `?` stands for a value that is given."""

    dialect: Dialect

    def rows(self, question: str, given: Sequence[object] = ()) -> list[Any]:
        """Return the rows that answer a question."""
        ...

    def change(self) -> AbstractContextManager[Change]:
        """Make what the block does durable as a whole, or nothing of it."""
        ...

    def look(self) -> AbstractContextManager[None]:
        """Let all that the block asks see the same state, whatever others change meanwhile."""
        ...

    def alone(self, what: str, patience_s: float) -> AbstractContextManager[bool]:
        """Yield whether the block has something to itself, of all processes that share the tables.

        If that was lost meanwhile, nothing more can be changed in the block.
        """
        ...


class Busy(BadInput):
    """Somebody else is at it; it can be tried again."""


class SqliteDatabase:
    """One SQLite file, open; the threads of a process may share it."""

    dialect = Dialect(
        "SELECT value FROM json_each(?)",
        "SELECT json_extract(value, '$[0]') AS d, json_extract(value, '$[1]') AS s,"
        " json_extract(value, '$[2]') AS first, json_extract(value, '$[3]') AS last FROM json_each(?)",
    )

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._lock = RLock()

    def rows(self, question: str, given: Sequence[object] = ()) -> list[Any]:
        """Return the rows that answer a question."""
        with self._lock, _in_words(self.path):
            return self._db.execute(question, given).fetchall()

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection, None, None]:
        """Make what the block does durable as a whole, or nothing of it."""
        with self._lock, _in_words(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def look(self) -> Generator[None, None, None]:
        """Let all that the block asks see the same state, whatever others change meanwhile."""
        with self._lock, _in_words(self.path):
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    @contextmanager
    def alone(self, what: str, patience_s: float) -> Generator[bool, None, None]:
        """Yield True: one process changes a file, and its threads see to themselves."""
        del what, patience_s
        yield True

    def version(self) -> int | None:
        """Return the format of the file, None when there is nothing in it."""
        version = int(self.rows("PRAGMA user_version")[0][0])
        return version if version or self.rows("SELECT 1 FROM sqlite_master LIMIT 1") else None

    def make(self, tables: str, version: int) -> None:
        """Make the tables of a format in an empty file."""
        with self._lock, _in_words(self.path):
            self._db.executescript(f"BEGIN; {tables} PRAGMA user_version = {version}; COMMIT;")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def open_database(
    path: Path, tables: str, version: int, upgrades: Mapping[int, str] | None = None
) -> SqliteDatabase:
    """Open a database for reading and writing, with these tables when it is new.

    `upgrades` makes the tables of an older format those of the next. Readers must know both.
    Raises Unsupported when a newer bimetal wrote it or the disk is full, NotAllowed when it cannot be
    written, BadInput when it is damaged or not ours.
    """
    with _in_words(path):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE_S)
    opened = SqliteDatabase(path, db)
    try:
        # Rolled-back and deleted rows are overwritten, for erasure must reach this file too.
        for pragma in (
            "secure_delete = ON",
            "journal_mode = DELETE",
            "synchronous = EXTRA",
            "foreign_keys = ON",
        ):
            opened.rows(f"PRAGMA {pragma}")
        found = opened.version()
        if found is None:
            opened.make(tables, version)
        else:
            while found in (upgrades or {}):
                opened.make((upgrades or {})[found], found := found + 1)
            _check_version(path, found, version)
    except BaseException:
        opened.close()
        raise
    return opened


@contextmanager
def reading_database(
    path: Path, tables: str, version: int, oldest: int | None = None
) -> Generator[SqliteDatabase, None, None]:
    """Open a database to read it, of a format from the oldest on, beside whoever writes it.

    Nothing is written, not even what a cut-short change left undone: that is undone in a copy.
    Raises as `open_database`, and NotFound when there is no such file.
    """
    if not path.exists():
        raise NotFound("nothing is there", where=str(path))
    with tempfile.TemporaryDirectory() as scratch:
        opened = _connected(path, "ro")
        try:
            if _unfinished(opened):
                opened.close()
                opened = _connected(_copied(path, Path(scratch)), "rw")
            found = opened.version()
            if found is None:
                opened.close()
                opened = SqliteDatabase(path, sqlite3.connect(":memory:", isolation_level=None))
                opened.make(tables, version)
            else:
                _check_version(path, found, version, oldest)
            yield opened
        finally:
            opened.close()


def _connected(path: Path, mode: str) -> SqliteDatabase:
    place = f"{path.absolute().as_uri()}?mode={mode}"
    with _in_words(path):
        db = sqlite3.connect(
            place, uri=True, isolation_level=None, check_same_thread=False, timeout=_PATIENCE_S
        )
    return SqliteDatabase(path, db)


def _unfinished(opened: SqliteDatabase) -> bool:
    try:
        opened.version()
    except NotAllowed as error:
        if getattr(error.__cause__, "sqlite_errorcode", 0) == _UNFINISHED:
            return True
        raise
    return False


def _copied(path: Path, folder: Path) -> Path:
    with in_words(path):
        for name in (path.name, f"{path.name}-journal"):
            if path.with_name(name).exists():
                shutil.copyfile(path.with_name(name), folder / name)
    return folder / path.name


def _check_version(path: Path, found: int, version: int, oldest: int | None = None) -> None:
    if found > version:
        raise Unsupported(
            f"this file has format {found}, and this bimetal reads up to {version}",
            where=str(path),
            hint="Install the bimetal that wrote it, or a newer one",
        )
    if found == 0:
        raise BadInput("bimetal did not make this file", where=str(path), hint="Move the file away")
    if found < (oldest or version):
        raise BadInput(
            f"this file has format {found}, which is no longer read",
            where=str(path),
            hint="Move it away and open again: it is made anew",
        )


@contextmanager
def _in_words(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise Unsupported(
                f"the disk is full or failing: {error}", where=str(path), hint="Free some space"
            ) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
            raise NotAllowed(
                "it cannot be written", where=str(path), hint="Choose a folder of yours"
            ) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Busy(
                "somebody else is changing it", where=str(path), hint="Try again in a moment"
            ) from error
        raise BadInput(
            f"it cannot be used: {error}",
            where=str(path),
            hint="Move it away and open again: it is made anew",
        ) from error
