"""Session file: what a listener must remember of its clients and topics, in SQLite.

One table, `note`: a kind, whose it is (a client's identifier), a name among those, what it is about
(a topic or a client), and bytes that only the listener reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from bimetal.keep.database import SqliteDatabase, open_database
from bimetal.keep.mention import mentions

VERSION = 1
_TABLES = """
CREATE TABLE note (
  kind TEXT NOT NULL, client TEXT NOT NULL, name TEXT NOT NULL, about TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (kind, client, name)) WITHOUT ROWID;
"""

Key: TypeAlias = tuple[str, str, str]
Note: TypeAlias = tuple[str, bytes]


class SessionFile:
    """A map from keys to notes; every change is durable and whole, or did not happen.

    The file is made when there is something to put in it. Raises as `open_database` does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._opened: SqliteDatabase | None = None

    def load(self) -> dict[Key, Note]:
        """Return every note there is."""
        if not self.path.exists():
            return {}
        rows = self._database().rows("SELECT kind, client, name, about, value FROM note")
        return {(kind, client, name): (about, value) for kind, client, name, about, value in rows}

    def commit(self, changes: Mapping[Key, Note | None]) -> None:
        """Write these notes, and remove those that are None; returns when a power cut could not lose them."""
        gone = [key for key, note in changes.items() if note is None]
        written = [(*key, *note) for key, note in changes.items() if note is not None]
        with self._database().change() as db:
            db.executemany("DELETE FROM note WHERE (kind, client, name) = (?, ?, ?)", gone)
            db.executemany("INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, ?)", written)

    def erase(self, device: str) -> int:
        """Remove what is noted of a device, or names it anywhere; returns how many notes went."""
        named = mentions(device)
        found = [
            key
            for key, (about, value) in self.load().items()
            if device == key[1] or named(about.encode()) or named(value)
        ]
        if found:
            self.commit(dict.fromkeys(found))
        return len(found)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._opened:
                self._opened.close()
            self._opened = None

    def _database(self) -> SqliteDatabase:
        with self._lock:
            if self._opened is None:
                self._opened = open_database(self.path, _TABLES, VERSION)
            return self._opened
