"""The catalog: changes are whole or not at all, and foreign or newer files are refused."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest

from bimetal.keep.asked import Asked
from bimetal.keep.catalog import TABLES, VERSION, Catalog, Found, Held, Sealed
from bimetal.nouns import Signal
from bimetal.nouns.errors import BadInput, Unsupported
from tests.keep.given import PRESSURE, TEMPERATURE

FIRST = Sealed("a", 1, 3, 0, 10, 100, b"\xde\xad")
SECOND = Sealed("b", 4, 5, 0, 7, 80, b"")
HELD = (Held("fan", "temperature", 4, 5, 9), Held("pump", "temperature", 6, 1, 8, start=4))
ERASING = f"CREATE TABLE erasing{TABLES.split('CREATE TABLE erasing')[1].split(';')[0]};"
LATER = (Held("pump", "temperature", 7, 0, 20),)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog.open(tmp_path / "catalog.sqlite")


def reopened(catalog: Catalog, folder: Path) -> Catalog:
    catalog.close()
    return Catalog.open(folder / "catalog.sqlite")


def test_segments_and_what_they_hold_come_back(catalog: Catalog, tmp_path: Path) -> None:
    catalog.replace((), [Found(FIRST, HELD), Found(SECOND, LATER)], sealed=5)
    catalog = reopened(catalog, tmp_path)
    assert catalog.segments() == (FIRST, SECOND)
    assert catalog.whole(["a"]) == (Found(FIRST, HELD),)
    assert catalog.held() == (5, (HELD[0], Held("pump", "temperature", 13, 0, 20)))
    assert catalog.rows_by_device() == {"fan": 4, "pump": 13}
    assert catalog.size() == (17, 180)
    assert catalog.sealed() == 5


def test_where_nothing_is_kept_nothing_is_added_up(catalog: Catalog) -> None:
    assert catalog.size() == (0, 0)
    assert catalog.rows_by_device() == {}


def test_a_replaced_segment_takes_what_it_held_along(catalog: Catalog) -> None:
    catalog.replace((), [Found(FIRST, HELD)], sealed=3)
    catalog.replace(["a"], [Found(SECOND, HELD[:1])])
    assert catalog.segments() == (SECOND,)
    assert catalog.held() == (3, HELD[:1])
    assert catalog.sealed() == 3


def test_a_change_that_fails_changes_nothing(catalog: Catalog) -> None:
    catalog.replace((), [Found(FIRST, HELD)], sealed=3)
    with pytest.raises(BadInput):
        catalog.replace(["a"], [Found(SECOND, HELD), Found(SECOND, HELD)], sealed=9)
    assert catalog.segments() == (FIRST,)
    assert catalog.sealed() == 3


def test_signals_keep_their_meaning(catalog: Catalog, tmp_path: Path) -> None:
    catalog.learn([TEMPERATURE, PRESSURE])
    catalog.learn([Signal("pressure", "Pa", missing=-200.0)])
    signals = reopened(catalog, tmp_path).signals()
    assert signals["temperature"] == TEMPERATURE
    assert signals["temperature"].low == -math.inf
    assert signals["pressure"] == Signal("pressure", "Pa", missing=-200.0)


def test_signals_of_nothing_kept_are_forgotten(catalog: Catalog) -> None:
    catalog.learn([TEMPERATURE, PRESSURE, Signal("gone")])
    catalog.replace((), [Found(FIRST, HELD)])
    catalog.forget_signals(["pressure"])
    assert set(catalog.signals()) == {"temperature", "pressure"}


def test_an_erasure_is_remembered_until_it_ended(catalog: Catalog, tmp_path: Path) -> None:
    catalog.begin_erasing("pump")
    catalog.begin_erasing("pump")
    catalog = reopened(catalog, tmp_path)
    assert catalog.erasing() == ("pump",)
    catalog.end_erasing("pump")
    assert reopened(catalog, tmp_path).erasing() == ()


def test_a_newer_format_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    catalog.close()
    with sqlite3.connect(tmp_path / "catalog.sqlite") as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(Unsupported, match=f"format {VERSION + 1}"):
        Catalog.open(tmp_path / "catalog.sqlite")


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (a)")
    with pytest.raises(BadInput, match="did not make this file"):
        Catalog.open(path)


@pytest.mark.parametrize("content", [b"this is no database, but long enough to be one" * 100])
def test_a_damaged_catalog_says_how_to_get_another(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="made anew"):
        Catalog.open(path)


def test_hostile_names_are_data(catalog: Catalog) -> None:
    name = "'; DROP TABLE segment; --"
    catalog.replace((), [Found(FIRST, (Held(name, name, 1, 1, 1),))])
    assert catalog.find(Asked((name,), (name,)))[1] == (Found(FIRST, (Held(name, name, 1, 1, 1),)),)
    assert catalog.segments() == (FIRST,)


def test_a_catalog_of_the_format_before_is_read_and_brought_up_by_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript(TABLES.replace(ERASING, "CREATE TABLE erasing (device TEXT PRIMARY KEY);"))
        db.execute("INSERT INTO erasing VALUES ('pump')")
        db.execute("PRAGMA user_version = 2")
    before = path.read_bytes()
    with Catalog.reading(path) as reader:
        assert reader.erasing() == ("pump",)
    assert path.read_bytes() == before
    for _ in range(2):
        writer = Catalog.open(path)
        assert writer.owed() == ("pump",)
        writer.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
