"""The catalog in PostgreSQL: what SQLite promises holds for several at once, over a line that is cut."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from bimetal.keep.asked import Asked
from bimetal.keep.catalog import TABLES, VERSION, Catalog, Found, Held, Sealed
from bimetal.nouns import Signal
from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound, Unsupported
from tests.keep import peers
from tests.keep.given import PRESSURE, TEMPERATURE

FIRST = Sealed("a", 1, 3, 0, 10, 100, b"\xde\xad\x00")
SECOND = Sealed("b", 4, 5, 0, 7, 80, b"")
HELD = (Held("fan", "temperature", 4, 5, 9), Held("pump", "temperature", 6, 1, 8, start=4))
LATER = (Held("pump", "größe α", 7, -(1 << 62), 1 << 62),)


@pytest.fixture
def url(pg: peers.Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGPASSWORD", peers.SECRET)
    return pg.database()


def opened(url: str, writer: str) -> Catalog:
    from bimetal.keep.postgres import PostgresDatabase

    database = PostgresDatabase(url, writer)
    database.make(TABLES, VERSION)
    return Catalog(database, database.close, writer=writer)


@pytest.fixture
def catalogs(url: str) -> Iterator[tuple[Catalog, Catalog]]:
    """The same catalog as two writers see it."""
    with closing(opened(url, "one")) as one, closing(opened(url, "two")) as two:
        yield one, two


def test_what_one_writes_another_reads(catalogs: tuple[Catalog, Catalog]) -> None:
    one, two = catalogs
    one.replace((), [Found(FIRST, HELD), Found(SECOND, LATER)], sealed=5)
    assert two.segments() == (FIRST, SECOND)
    assert two.whole(["a"]) == (Found(FIRST, HELD),)
    assert two.find(Asked(("pump",), None, 8, 9)) == (0, (Found(FIRST, HELD[1:]), Found(SECOND, LATER)))
    assert two.overlapping([Held("pump", "temperature", 1, 8, 8)], 4) == (Found(FIRST, HELD[1:]),)
    assert two.overlapping([Held("pump", "temperature", 1, 9, 9)], 4) == ()
    assert (one.sealed(), two.sealed()) == (5, None)
    assert one.held()[1] == (HELD[0], LATER[0], replace(HELD[1], start=0))
    assert (one.place(7, 9), two.place(1, 1)) == ((6, 6), (6, 6))
    two.replace(["a"], [Found(replace(FIRST, name="c"), HELD[:1])], sealed=0)
    assert [s.name for s in one.segments()] == ["c", "b"]
    one.learn([TEMPERATURE, PRESSURE])
    two.learn([Signal("pressure", "Pa", missing=-200.0)])
    assert one.signals() == {"temperature": TEMPERATURE, "pressure": Signal("pressure", "Pa", missing=-200.0)}
    two.forget_signals(["nothing"])
    assert list(one.signals()) == ["temperature"]


def test_a_change_that_fails_changes_nothing(catalogs: tuple[Catalog, Catalog]) -> None:
    one, two = catalogs
    one.replace((), [Found(FIRST, HELD)], sealed=3)
    with pytest.raises(BadInput, match="refuses"):
        one.replace(["a"], [Found(SECOND, HELD), Found(SECOND, HELD)], sealed=9)
    assert (two.segments(), one.sealed()) == ((FIRST,), 3)


def test_every_writer_owes_an_erasure_until_it_has_done_it(catalogs: tuple[Catalog, Catalog]) -> None:
    one, two = catalogs
    two.replace((), (), sealed=0)
    one.begin_erasing("pump")
    one.end_erasing("pump")
    assert (one.owed(), two.owed(), one.erasing()) == ((), ("pump",), ("pump",))
    assert one.owing("pump") == ("two",)
    two.begin_erasing("pump")
    assert one.owed() == (), "what two does is not begun anew"
    two.end_erasing("pump")
    assert one.erasing() == ()


def test_hostile_names_are_data(catalogs: tuple[Catalog, Catalog]) -> None:
    one, _ = catalogs
    name = """'; DROP TABLE segment; -- "%s ? $1 \\ [1]"""
    one.replace((), [Found(FIRST, (Held(name, name, 1, 1, 1),))])
    assert one.find(Asked((name,), (name,)))[1] == (Found(FIRST, (Held(name, name, 1, 1, 1),)),)
    assert one.overlapping([Held(name, name, 1, 1, 1)], 9) == one.whole(["a"])


def test_one_at_a_time(catalogs: tuple[Catalog, Catalog]) -> None:
    one, two = catalogs
    got: list[str] = []

    def put() -> None:
        with two.alone("put", 20.0):
            got.append("two")

    with one.alone("put"), two.alone("join"):
        with pytest.raises(BadInput, match="another server"), two.alone("put", 0.1):
            pass
        waiting = threading.Thread(target=put)
        waiting.start()
        waiting.join(0.3)
        got.append("one")
    waiting.join()
    assert got == ["one", "two"]


def test_who_lost_the_line_while_alone_changes_nothing_more(url: str) -> None:
    line = peers.Line(urlsplit(url).port or 0)
    cut = url.replace(f":{urlsplit(url).port}/", f":{line.port}/")
    with closing(opened(cut, "one")) as one, closing(opened(url, "two")) as two:
        one.replace((), [Found(FIRST, HELD)], sealed=3)
        with one.alone("put"):
            line.cut()
            line.mend()
            with two.alone("put", 10.0):
                two.replace(["a"], [Found(SECOND, LATER)], sealed=0)
            for _ in range(2):
                with pytest.raises(Unsupported, match=r"lost|reached"):
                    one.replace((), [Found(replace(FIRST, name="stale"), HELD)], sealed=4)
        assert [s.name for s in one.segments()] == ["b"], "the line is made anew when nothing rests on it"
        assert one.sealed() == 3
        line.cut()
        with pytest.raises(Unsupported, match="cannot be reached"):
            one.segments()
        line.mend()
        assert [s.name for s in one.segments()] == ["b"]
        line.cut()


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_server_that_is_stopped_is_not_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from bimetal.keep import postgres

    monkeypatch.setattr(postgres, "_ANSWER_S", 0.5)
    database = postgres.PostgresDatabase(url, "one")
    database.make(TABLES, VERSION)
    ((process,),) = database.rows("SELECT pg_backend_pid()")
    with closing(Catalog(database, database.close, writer="one")) as one:
        one.replace((), [Found(FIRST, HELD)], sealed=3)
        os.kill(process, signal.SIGSTOP)
        try:
            # It holds the name of this writer until it goes on, and so a new line does not help.
            with pytest.raises(Error, match=r"cannot be reached|another process"):
                one.replace((), [Found(SECOND, LATER)], sealed=5)
        finally:
            os.kill(process, signal.SIGCONT)
        one.replace((), [Found(SECOND, LATER)], sealed=5)
        assert [s.name for s in one.segments()] == ["a", "b"]


def test_a_catalog_of_a_newer_version_is_refused_by_writers_and_readers(pg: peers.Postgres, url: str) -> None:
    from bimetal.keep.postgres import PostgresDatabase

    with closing(PostgresDatabase(url)) as reader, pytest.raises(NotFound, match="nothing is kept"):
        reader.check(VERSION)
    opened(url, "one").close()
    with pg.connect(urlsplit(url).path[1:]) as link:
        link.execute("UPDATE bimetal.fact SET value = value + 1 WHERE name = 'format'")
    with pytest.raises(Unsupported, match=f"format {VERSION + 1}"):
        opened(url, "one")
    with closing(PostgresDatabase(url)) as reader, pytest.raises(Unsupported, match=f"format {VERSION + 1}"):
        reader.check(VERSION)


def test_a_copy_of_a_folder_may_not_write_beside_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bimetal.keep.postgres._OURS_S", 0.1)
    with closing(opened(url, "one")), pytest.raises(BadInput, match="copy of a folder"):
        opened(url, "one")
    opened(url, "one").close()


def test_a_wrong_password_is_said_and_not_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "wrong-geheim")
    with pytest.raises(NotAllowed, match="PGPASSWORD") as refused:
        opened(url, "one")
    assert "geheim" not in str(refused.value)
    with pytest.raises(Unsupported, match="cannot be reached"):
        opened("postgresql://plant@127.0.0.1:1/plant", "one")


def test_a_database_that_cannot_hold_every_name_is_refused(
    pg: peers.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", peers.SECRET)
    with pytest.raises(Unsupported, match="UTF8"):
        opened(pg.database("SQL_ASCII"), "one")


def test_two_that_begin_at_once_make_one_catalog(url: str) -> None:
    failed: list[Exception] = []

    def begin(name: str) -> None:
        try:
            opened(url, name).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=begin, args=(f"w{k}",)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
