"""Segments that several folders share: what one folder would answer, whoever wrote, joined or erased."""

from __future__ import annotations

import importlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bimetal.keep.archive import Archive
from bimetal.keep.asked import Asked
from bimetal.keep.catalog import Catalog
from bimetal.keep.compact import FEWEST
from bimetal.keep.place import Place, settle
from bimetal.keep.query import querying
from bimetal.keep.rows import join, tidy
from bimetal.keep.rule import Rule
from bimetal.keep.segment import Segments
from bimetal.keep.shelf import LINGER_S
from bimetal.keep.snapshot import look
from bimetal.nouns import Batch
from bimetal.nouns.errors import BadInput, Error, NotFound, Unsupported
from tests.keep import peers
from tests.keep.given import SECOND, START, batch, texts_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and users")
ROOT = Path(__file__).parents[2]
MARK = "patient-7f3a-marker"
EVERYTHING = "SELECT * FROM readings ORDER BY ALL"


def answer(folder: Path, question: str = EVERYTHING) -> list[tuple[object, ...]]:
    with querying(folder, Asked()) as asking:
        return list(asking.ask(question, 60).rows())


def sealed_twice(folder: Path) -> int:
    """How many readings lie in two segments."""
    with look(folder, Asked()) as seen:
        rows = join([file.rows(held) for file, held in seen.opened.parts])
        return len(rows) - len(tidy(rows))


def alone_in(folder: Path, batches: Sequence[Batch]) -> Path:
    """A folder that keeps these, one segment each, by itself."""
    archive = Archive(folder)
    for one in batches:
        archive.segments.append(one)
        archive.segments.seal()
    archive.close()
    return folder


def test_what_two_servers_keep_is_answered_row_for_row_as_one_would(shared: peers.Shared) -> None:
    sent = [batch(40, start=24 * k, seed=k) for k in range(2 * FEWEST)]  # each corrects the one before
    servers = [Archive(shared.folder(name)) for name in "ab"]
    for k, one in enumerate(sent):
        servers[k % 2].segments.append(one)
        servers[k % 2].segments.seal()
    expected = answer(alone_in(shared.root / "alone", sent))
    assert len(expected) == 2 * (24 * (2 * FEWEST - 1) + 40)
    reader = shared.folder("reader")
    assert answer(reader) == answer(shared.root / "a") == expected
    assert sealed_twice(reader) == 0
    assert servers[1].tend()
    with look(reader, Asked()) as seen:
        assert len(seen.opened.parts) == 1
    assert answer(reader) == expected
    rules = [Rule(signal="pressure", before_ns=START + 100 * SECOND)]
    removed = servers[0].segments.remove(rules)
    kept = [row for row in expected if row[1] != "pressure" or str(row[2]) >= "2023-11-14T22:15:00"]
    assert removed.readings == len(expected) - len(kept) == 100
    assert answer(reader) == kept
    assert servers[1].segments.batch().readings == len(kept)
    for server in servers:
        server.close()


def test_what_waits_in_the_journal_of_one_is_seen_there_and_by_others_once_sealed(
    shared: peers.Shared,
) -> None:
    a, b = (Archive(shared.folder(name)) for name in "ab")
    a.segments.append(batch(10))
    assert (len(answer(a.folder)), len(answer(b.folder))) == (20, 0)
    a.segments.seal()
    assert len(answer(b.folder)) == 20
    assert [s.name for s in b.segments.batch().signals] == ["pressure", "temperature"]
    a.close()
    again = Archive(a.folder)
    assert (again.segments.unsealed, again.segments.append(batch(1, start=50))) == (0, 2)
    again.close()
    b.close()


def test_a_device_is_erased_from_every_folder_and_every_version_of_every_object(
    shared: peers.Shared, pg: peers.Postgres
) -> None:
    versions = shared.server.bucket(versioned=True)
    shared = peers.Shared(shared.root, shared.catalog, versions, shared.server)
    a, b = (Archive(shared.folder(name)) for name in "ab")
    for k in range(FEWEST):
        server = (a, b)[k % 2]
        server.segments.append(batch(30, start=30 * k, devices=(MARK, "fan")))
        server.segments.seal()
    assert a.tend()
    for server in (a, b):
        server.segments.append(batch(30, start=900, devices=(MARK, "fan")))
    fan = [row for row in answer(a.folder) if row[0] == "fan"]

    def named() -> int:
        files = [p for f in (a.folder, b.folder) for p in f.rglob("*") if p.is_file()]
        texts = [text for p in files for text in texts_of(p)] + list(shared.objects().values())
        return sum(MARK.encode() in text for text in texts)

    assert named() > FEWEST
    erased = a.erase(MARK)
    assert (erased.readings, len(erased.owing)) == (2 * 15 * FEWEST + 30, 1)
    assert named(), "b has yet to erase it"
    assert answer(shared.folder("reader"), f"FROM readings WHERE device = '{MARK}'") == []
    b.segments.seal()  # and even puts it there once more
    for server in (a, b, b):
        server.ask_what_is_owed(secrets.token_bytes, START)
    assert [len(server.erasures.asked()) for server in (a, b)] == [0, 1]
    receipt = b.fulfil(b.erasures.asked()[0])
    assert (receipt.found["readings"], receipt.found["owing"]) == (30, 0)
    assert (named(), a.segments.erasing(), b.segments.erasing()) == (0, (), ())
    assert answer(a.folder) == fan
    with pg.connect(urlsplit(shared.catalog).path[1:]) as link:
        for table in ("segment", "held", "erasing"):
            said = link.execute(f"SELECT CAST(t AS TEXT) FROM bimetal.{table} AS t").fetchall()
            assert MARK not in str(said)
    a.close()
    b.close()


def test_an_erasure_that_another_owes_is_done_when_it_comes_back(shared: peers.Shared) -> None:
    a, b = (Archive(shared.folder(name)) for name in "ab")
    b.segments.append(batch(10, devices=(MARK,)))
    b.close()
    assert len(a.erase(MARK).owing) == 1
    Archive(b.folder).close()
    assert a.segments.owing(MARK) == ()
    assert all(MARK.encode() not in t for p in b.folder.rglob("*") if p.is_file() for t in texts_of(p))
    a.close()


@pytest.mark.parametrize("peer", ["catalog", "segments"])
def test_while_a_peer_is_out_of_reach_nothing_is_lost_and_memory_is_bounded(
    shared: peers.Shared, monkeypatch: pytest.MonkeyPatch, peer: str
) -> None:
    port = urlsplit(shared.catalog).port if peer == "catalog" else shared.server.port
    line = peers.Line(port or 0)
    catalog = shared.catalog.replace(f":{port}/", f":{line.port}/")
    if peer == "segments":
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{line.port}")
    settle(shared.root / "a", catalog, shared.segments)
    segments = Segments(shared.root / "a", seal_readings=1000)
    segments.append(batch(100))
    segments.seal()
    line.cut()
    segments.append(batch(100, start=100))
    acknowledged = 2
    with pytest.raises(Unsupported, match=r"cannot be reached") as refused:
        segments.seal()
    assert peers.SECRET not in str(refused.value)
    while segments.unsealed < 4000:
        segments.append(batch(100, start=100 * acknowledged, signals=batch(1).signals))
        acknowledged += 1
    with pytest.raises(BadInput, match="too many wait"):
        segments.append(batch(100, start=100 * acknowledged))
    assert segments.unsealed == 4000
    segments.close()
    with pytest.raises(Unsupported):
        Segments(shared.root / "a")
    line.mend()
    segments = Segments(shared.root / "a", seal_readings=1000)
    assert segments.unsealed == 4000
    assert segments.tend()
    assert (segments.unsealed, segments.batch().readings) == (0, 200 * acknowledged)
    segments.remove([])  # sweeps
    assert len(shared.objects()) == 2
    segments.close()
    line.cut()


def test_a_commit_of_which_no_answer_came_is_not_made_twice(
    shared: peers.Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (Archive(shared.folder(name)) for name in "ab")
    a.segments.append(batch(20))
    real = Catalog.replace

    def replace(*given: object, **named: object) -> None:
        real(*given, **named)  # type: ignore[arg-type]
        raise Unsupported("PostgreSQL cannot be reached")

    monkeypatch.setattr(Catalog, "replace", replace)
    with pytest.raises(Unsupported):
        a.segments.seal()
    monkeypatch.undo()
    for name, value in peers.environment(shared.server).items():
        monkeypatch.setenv(name, value)
    b.segments.append(batch(20, seed=7))  # corrects all of it
    b.segments.seal()
    a.segments.append(batch(5, start=20))
    expected = answer(alone_in(shared.root / "alone", [batch(20), batch(20, seed=7), batch(5, start=20)]))
    a.segments.seal()
    assert answer(b.folder) == expected
    a.close()
    b.close()


def test_what_was_joined_can_be_read_to_the_end_and_goes_after_a_while(shared: peers.Shared) -> None:
    a, now = Archive(shared.folder("a")), [0.0]
    a.segments._shelf._clock = lambda: now[0]  # type: ignore[attr-defined]
    for k in range(FEWEST):
        a.segments.append(batch(10, start=10 * k))
        a.segments.seal()
    with querying(shared.folder("reader"), Asked()) as asking:
        assert a.tend()
        assert not a.tend()
        assert len(shared.objects()) == FEWEST + 1
        assert len(list(asking.ask(EVERYTHING, 60).rows())) == 20 * FEWEST
        now[0] = LINGER_S + 1
        assert not a.tend()
        assert len(shared.objects()) == 1
    with look(shared.folder("reader"), Asked()) as seen:
        a.erase("pump")
        with pytest.raises(NotFound, match="Ask again"):
            seen.opened.parts[0][0].rows(seen.opened.parts[0][1])
    a.close()


def test_threads_and_servers_may_do_everything_at_once(shared: peers.Shared) -> None:
    servers = [Segments(shared.folder(name), seal_readings=50) for name in "abc"]
    failed: list[Exception] = []

    def work(server: Segments, device: str) -> None:
        try:
            for k in range(12):
                server.append(batch(4, start=4 * k, devices=(device,)))
                server.append(batch(4, start=4 * k, devices=("all",), seed=int(device[1:])))
                if k % 3 == 0:
                    server.seal()
                if k % 5 == 0:
                    server.tend()
                server.read(device, "pressure")
        except Error as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(s, f"d{k}")) for k, s in enumerate([*servers, servers[0]])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    for server in servers:
        server.seal()
    assert sealed_twice(shared.folder("reader")) == 0
    found = answer(shared.folder("reader"), "SELECT device, count(*) FROM readings GROUP BY 1 ORDER BY 1")
    assert found == [("all", 96), *((f"d{k}", 96) for k in range(4))]
    for server in servers:
        server.close()


@pytest.mark.parametrize("reader", ["pyarrow", "polars", "duckdb"])
def test_any_reader_opens_the_objects_unchanged(shared: peers.Shared, reader: str) -> None:
    try:
        module = importlib.import_module(reader)
    except ModuleNotFoundError:
        pytest.skip(f"needs {reader}, which is not installed here")
    a = Archive(shared.folder("a"))
    a.segments.append(batch(50))
    a.segments.seal()
    a.close()
    fs = importlib.import_module("pyarrow.fs")
    where = fs.S3FileSystem(endpoint_override=f"127.0.0.1:{shared.server.port}", scheme="http")
    name = f"{shared.bucket}/plant/*.parquet"
    if reader == "polars":
        url = {"aws_endpoint_url": shared.server.url, "aws_allow_http": "true"}
        table = module.read_parquet(f"s3://{name}", storage_options=url).to_arrow()
    elif reader == "duckdb":
        link = module.connect()
        link.register_filesystem(
            importlib.import_module("fsspec.implementations.arrow").ArrowFSWrapper(where)
        )
        table = link.sql(f"FROM read_parquet('s3://{name}')").to_arrow_table()
    else:
        table = importlib.import_module("pyarrow.parquet").read_table(
            f"{shared.bucket}/plant", filesystem=where, ignore_prefixes=["archive"]
        )
    rows = {
        (d, s, v)
        for d, s, v in zip(*(table.column(n).to_pylist() for n in ("device", "signal", "value")), strict=True)
    }
    assert rows == {(d, s, v) for d, s, _, v, _ in answer(a.folder)}


def test_a_shared_folder_is_as_good_as_a_bucket(shared: peers.Shared) -> None:
    big = str(shared.root / "big")
    for name in "ab":
        settle(shared.root / name, shared.catalog, big)
    sent = [batch(40, start=24 * k, seed=k) for k in range(4)]
    servers = [Archive(shared.root / name) for name in "ab"]
    for k, one in enumerate(sent):
        servers[k % 2].segments.append(one)
        servers[k % 2].segments.seal()
    assert answer(shared.root / "b") == answer(alone_in(shared.root / "alone", sent))
    for server in servers:
        server.close()
    settle(shared.root / "c", shared.catalog, str(shared.root / "other"))
    with pytest.raises(Error, match="another catalog"):
        Archive(shared.root / "c")
    assert Place(shared.root / "c", shared.catalog, big).elsewhere


@pytest.mark.parametrize("words", [("tests.keep.torture",), ("tests.keep.sharing",)])
def test_nothing_acknowledged_is_lost_to_kill_9(shared: peers.Shared, words: tuple[str, ...]) -> None:
    """The short form of `make torture` on what is shared: one that is killed, and two at once."""
    done = subprocess.run(
        [sys.executable, "-m", *words, "4", "1", shared.catalog, shared.segments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((os.environ.get("PYTHONPATH", ""), str(ROOT), peers.clients())),
        },
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "4 processes killed" in done.stdout
    assert "0 lost" in done.stdout
