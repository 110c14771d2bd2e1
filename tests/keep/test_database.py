"""The database: read beside its writer, and after one that was killed, without writing a byte."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from bimetal.keep.database import open_database, reading_database
from bimetal.nouns.errors import BadInput, NotAllowed, NotFound, Unsupported

TABLES = "CREATE TABLE kept (name TEXT);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = open_database(tmp_path / "a.sqlite", TABLES, 3)
    with database.change() as db:
        db.executemany("INSERT INTO kept VALUES (?)", [(f"name {k}",) for k in range(500)])
    database.close()
    return tmp_path / "a.sqlite"


def killed(path: Path, folder: Path) -> Path:
    """A copy of the database as a kill would leave it in the middle of a large change."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA cache_size = 4")
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE kept SET name = 'half done'")
    db.executemany("INSERT INTO kept VALUES (?)", [("x" * 500,)] * 200)
    for name in (path.name, f"{path.name}-journal"):
        shutil.copy(path.with_name(name), folder / name)
    db.close()
    return folder / path.name


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_a_change_cut_short_by_a_kill_is_not_seen_and_not_undone_by_a_reader(
    path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    left = killed(path, folder)
    before = contents(folder)
    assert len(before[f"{path.name}-journal"]) > 0
    with reading_database(left, TABLES, 3) as database:
        assert database.rows("SELECT count(*), sum(name = 'half done') FROM kept") == [(500, 0)]
    assert contents(folder) == before
    again = open_database(left, TABLES, 3)
    assert again.rows("SELECT count(*) FROM kept") == [(500,)]
    again.close()


def test_a_reader_sees_one_state_while_a_writer_waits_for_it(path: Path) -> None:
    writer = open_database(path, TABLES, 3)

    def write() -> None:
        with writer.change() as db:
            db.execute("DELETE FROM kept")

    with reading_database(path, TABLES, 3) as reader, reader.look():
        before = reader.rows("SELECT count(*) FROM kept")
        thread = threading.Thread(target=write)
        thread.start()
        assert reader.rows("SELECT count(*) FROM kept") == before == [(500,)]
    thread.join()
    assert writer.rows("SELECT count(*) FROM kept") == [(0,)]
    writer.close()


def test_a_reader_of_a_new_and_empty_file_finds_empty_tables(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").touch()
    with reading_database(tmp_path / "a.sqlite", TABLES, 3) as database:
        assert database.rows("SELECT * FROM kept") == []
    assert (tmp_path / "a.sqlite").read_bytes() == b""


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound), reading_database(tmp_path / "a.sqlite", TABLES, 3):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("version", "kind"), [(2, Unsupported), (4, BadInput)])
def test_another_format_is_refused_by_reader_and_writer(path: Path, version: int, kind: type) -> None:
    with pytest.raises(kind, match="format 3"), reading_database(path, TABLES, version):
        pass
    with pytest.raises(kind, match="format 3"):
        open_database(path, TABLES, version)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_one_may_not_write_is_read_and_not_written(path: Path) -> None:
    path.chmod(0o400)
    with reading_database(path, TABLES, 3) as database:
        assert database.rows("SELECT count(*) FROM kept") == [(500,)]
    opened = open_database(path, TABLES, 3)
    with pytest.raises(NotAllowed), opened.change() as db:
        db.execute("DELETE FROM kept")
    opened.close()
