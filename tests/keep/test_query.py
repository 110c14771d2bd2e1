"""Queries: SQL sees every reading once, can change nothing, and is told in words what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bimetal.keep.archive import Archive
from bimetal.keep.arrow import csv, pq
from bimetal.keep.asked import Asked
from bimetal.keep.quarantine import Refused
from bimetal.keep.query import Query, querying
from bimetal.nouns import Batch, Quality, Signal
from bimetal.nouns.errors import BadInput, Error, NotAllowed, Unsupported
from tests.keep.given import PRESSURE, SECOND, START, TEMPERATURE, batch, event, flip

HOSTILE = "'; DROP TABLE readings; -- \N{RIGHT-TO-LEFT MARK}".replace("\u200f", "") + "\" 'x' 設備 🧯"
SECONDS = 60.0
ALL = 212
"""Readings kept: 220 arrived, and 8 were corrected."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Two segments and a journal that corrects some of them, held by this process."""
    archive = Archive(tmp_path / "kept")
    archive.segments.append(batch(40))
    archive.segments.seal()
    archive.segments.append(batch(40, start=40), Quality.DOUBTFUL)
    archive.segments.seal()
    archive.segments.append(batch(30, start=70, seed=9, devices=("pump", "fan", HOSTILE)))
    archive.events.append([event(), event("fan", START + SECOND)])
    archive.quarantine.append([Refused(START + 5, "readings/x", "c", "no JSON", b'{"\xff\\')])
    yield archive
    archive.close()


@pytest.fixture
def query(archive: Archive) -> Iterator[Query]:
    with querying(archive.folder, Asked()) as query:
        yield query


def ask(query: Query, question: str) -> list[tuple[object, ...]]:
    return list(query.ask(question, SECONDS).rows())


def test_every_reading_is_there_once_as_it_was_corrected(archive: Archive, query: Query) -> None:
    whole = archive.segments.batch()
    (found,) = ask(query, "SELECT count(*), sum(value), min(time), max(time) FROM readings")
    assert found[0] == whole.readings == ALL
    assert math.isclose(float(found[1]), float(np.nansum(whole.values)))  # type: ignore[arg-type]
    assert found[2:] == ("2023-11-14T22:13:20Z", "2023-11-14T22:14:59Z")
    kept = archive.segments.read("pump", "temperature")
    series = ask(
        query,
        "SELECT epoch_ns(time), value, quality FROM readings"
        " WHERE device = 'pump' AND signal = 'temperature' ORDER BY time",
    )
    assert series == list(zip(kept.time_ns.tolist(), kept.value.tolist(), kept.quality.tolist(), strict=True))


def test_the_other_tables(query: Query) -> None:
    assert ask(query, "SELECT name, unit, low FROM signals ORDER BY name") == [
        ("pressure", "bar", 0.0),
        ("temperature", "Cel", None),
    ]
    rows = ask(query, "SELECT device, time, kind, explanation[1].signal, explanation[1].value FROM events")
    assert rows == [
        ("pump", "2023-11-14T22:13:20Z", "alarm", "temperature", 61.5),
        ("fan", "2023-11-14T22:13:21Z", "alarm", "temperature", 61.5),
    ]
    (message,) = ask(query, "FROM quarantine")
    assert message == (1, "2023-11-14T22:13:20.000000005Z", "readings/x", "c", "no JSON", r'{"\xFF\x5C')
    assert ask(query, "SHOW TABLES") == [("events",), ("quarantine",), ("readings",), ("signals",)]


def test_names_are_data(query: Query) -> None:
    doubled = HOSTILE.replace("'", "''")
    assert ask(query, f"SELECT count(*) FROM readings WHERE device = '{doubled}'") == [(20,)]
    assert ask(query, "SELECT count(DISTINCT device) FROM readings") == [(3,)]


@pytest.mark.parametrize(
    ("asked", "readings"),
    [
        (Asked(devices=(HOSTILE,)), 20),
        (Asked(signals=("pressure",)), ALL // 2),
        (Asked(since_ns=START + 90 * SECOND), 20),
        (Asked(until_ns=START + 10 * SECOND), 20),
        (Asked(devices=("pump",), signals=("pressure",), until_ns=START + 10 * SECOND), 5),
        (Asked(devices=("nobody",)), 0),
    ],
)
def test_only_what_is_asked_for_is_there(archive: Archive, asked: Asked, readings: int) -> None:
    with querying(archive.folder, asked) as query:
        assert ask(query, "SELECT count(*) FROM readings") == [(readings,)]


def test_times_are_exact_from_1970_to_2106_and_beyond(tmp_path: Path) -> None:
    times = np.array([0, 1, 4_294_967_295 * SECOND + 999_999_999, 2**63 - 2], np.int64)
    archive = Archive(tmp_path)
    for k in range(2):
        archive.segments.append(Batch((f"d{k}",), (PRESSURE,), times, np.zeros(4, np.int32), np.ones((4, 1))))
        if k == 0:
            archive.segments.seal()
    with querying(tmp_path, Asked()) as query:
        found = ask(query, "SELECT epoch_ns(time), time FROM readings ORDER BY device, time")
        later = ask(query, "SELECT count(*) FROM readings WHERE time >= '2106-02-07 06:28:15.999999999Z'")
    assert [row[0] for row in found] == times.tolist() * 2
    assert [row[1] for row in found][:4] == [
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000000001Z",
        "2106-02-07T06:28:15.999999999Z",
        "2262-04-11T23:47:16.854775806Z",
    ]
    assert later == [(4,)]
    archive.close()


def test_segments_in_microseconds_and_in_nanoseconds_are_one_table(tmp_path: Path) -> None:
    """Whichever of them is older, joined, corrected or still in the journal."""
    archive = Archive(tmp_path)
    coarse = START + np.arange(4) * 1_000
    steps = [coarse, coarse + 4_000, coarse + 4_007, coarse + 8_001, coarse[:2]]
    for k, times in enumerate(steps):
        ones = np.full((len(times), 1), float(k))
        archive.segments.append(Batch(("d",), (PRESSURE,), times, np.zeros(len(times), np.int32), ones))
        if k < 3:
            archive.segments.seal()
        wanted = dict[int, float]()
        for j in range(k + 1):
            wanted |= dict.fromkeys(steps[j].tolist(), float(j))
        with querying(tmp_path, Asked()) as query:
            found = ask(query, "SELECT epoch_ns(time), value FROM readings ORDER BY time")
            assert found == sorted(wanted.items())
        for edge in (START + 3_000, START + 3_001, START + 7_006, START + 7_007):
            with querying(tmp_path, Asked(since_ns=edge)) as query:
                (late,) = ask(query, "SELECT count(*) FROM readings")
            with querying(tmp_path, Asked(until_ns=edge)) as query:
                (early,) = ask(query, "SELECT count(*) FROM readings")
            assert late == (sum(t >= edge for t in wanted),)
            assert early == (sum(t < edge for t in wanted),)
    archive.close()


@pytest.mark.parametrize(
    "question",
    [
        "COPY readings TO 'out.csv'",
        "COPY (SELECT 1) TO ':memory:'",
        "INSERT INTO signals SELECT * FROM signals",
        "CREATE TABLE a AS SELECT 1",
        "DROP VIEW readings",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '99GB'",
        "PRAGMA database_list",
        "EXPLAIN ANALYZE COPY readings TO 'out.csv'",
        "EXPORT DATABASE 'out'",
        "CALL pragma_version()",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_parquet('kept://../catalog.sqlite')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_json('https://example.org/a.json')",
    ],
)
def test_nothing_is_written_or_read_but_what_is_kept(
    query: Query, question: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotAllowed) as refused:
        ask(query, question)
    assert "\n" not in refused.value.sentence()
    assert sorted(tmp_path.rglob("*")) == before
    assert ask(query, "SELECT count(*) FROM readings") == [(ALL,)]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "2 questions"),
        ("", "0 questions"),
        ("SELECT nope FROM readings", "nope"),
        ("FROM '/etc/passwd'", "does not exist"),
        ("FROM query", "does not exist"),
        ("SELECT 'x'::INT", "convert"),
        ("SELECT {'t': time} FROM quarantine", "cannot be printed"),
        ("SELECT CASE WHEN range = 900000 THEN 'x'::INT ELSE 1 END FROM range(1000000)", "convert"),
    ],
)
def test_what_means_nothing_is_said_in_a_sentence(query: Query, question: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        ask(query, question)
    assert refused.value.sentence().isprintable()
    assert ask(query, "SELECT 1") == [(1,)]


def test_every_kind_of_value_is_one_of_json(query: Query) -> None:
    (row,) = ask(
        query,
        "SELECT 1, 1.25::DECIMAL(5, 2), 'nan'::DOUBLE, '-inf'::FLOAT, NULL, true, DATE '2026-01-31',"
        " TIME '10:00', TIMESTAMP '2026-01-31 10:00:00.5', [1, NULL],"
        " {'a': TIMESTAMP '2026-01-31'}, MAP {'k': 2}, INTERVAL 1 DAY, 'a'::BLOB, sum(1)",
    )
    assert row[:9] == (
        *(1, row[1], None, None, None, True),
        *("2026-01-31", "10:00:00", "2026-01-31T10:00:00.5Z"),
    )
    assert str(row[1]) == "1.25"
    assert row[9:12] == ([1, None], {"a": "2026-01-31T00:00:00Z"}, [["k", 2]])
    assert row[12] == "P0M1DT0S"
    assert row[13] == "a"
    assert int(row[14]) == 1  # type: ignore[call-overload]


def test_columns_of_one_name_are_told_apart(query: Query) -> None:
    assert query.ask("SELECT 1 AS a, 2 AS a, 3 AS b", SECONDS).columns == ("a", "a_2", "b")


@pytest.mark.parametrize("place", [200, -2000, -10])
def test_a_damaged_segment_is_said_and_never_summed_up(tmp_path: Path, place: int) -> None:
    archive = Archive(tmp_path)
    archive.segments.append(batch(2000))
    archive.segments.seal()
    archive.close()
    flip(next((tmp_path / "segments").iterdir()), place)
    with pytest.raises(BadInput, match="changed or damaged"), querying(tmp_path, Asked()) as query:
        ask(query, "SELECT sum(value) FROM readings")


def test_a_truncated_segment_is_said(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.segments.append(batch(2000))
    archive.segments.seal()
    archive.close()
    path = next((tmp_path / "segments").iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadInput, match="changed or damaged"), querying(tmp_path, Asked()):
        pass


def test_a_question_that_takes_too_long_is_ended(query: Query) -> None:
    endless = "SELECT sum(sqrt(range)) FROM range(10000000000000)"
    with pytest.raises(BadInput, match="takes too long"):
        list(query.ask(endless, 0.3).rows())
    assert ask(query, "SELECT 1") == [(1,)]


def test_a_question_that_needs_too_much_memory_is_ended(query: Query) -> None:
    with pytest.raises(Unsupported, match="memory"):
        ask(
            query,
            "SELECT length(list(range::VARCHAR || 'long enough to be no short string')) FROM range(90000000)",
        )


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_an_answer_is_written_whole(query: Query, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"out.{kind}"
    assert query.ask("FROM readings", SECONDS).write(path) == ALL
    table = pq.read_table(path) if kind == "parquet" else csv.read_csv(path)
    assert (len(table), table.column_names[:2]) == (ALL, ["device", "signal"])
    assert HOSTILE in table.column("device").to_pylist()
    assert query.ask("FROM readings", SECONDS).write(path, most=7) == 7
    assert len(pq.read_table(path) if kind == "parquet" else csv.read_csv(path)) == 7


def test_an_answer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "kept")
    for k in range(2):
        archive.segments.append(batch(3000, start=3000 * k))
        archive.segments.seal()
    archive.close()
    flip(max((tmp_path / "kept" / "segments").iterdir()), 1000)
    (tmp_path / "out.parquet").write_text("old")
    with querying(tmp_path / "kept", Asked()) as query, pytest.raises(Error):
        query.ask("FROM readings", SECONDS).write(tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "out.parquet"]


def test_another_kind_of_file_is_refused(query: Query, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Parquet or CSV"):
        query.ask("SELECT 1", SECONDS).write(tmp_path / "out.xlsx")


def test_a_device_that_is_being_erased_is_in_no_table(archive: Archive) -> None:
    archive.segments.begin_erasing("pump")
    with querying(archive.folder, Asked()) as query:
        assert ask(query, "SELECT count(*) FROM readings WHERE device = 'pump'") == [(0,)]
        assert ask(query, "SELECT device FROM events") == [("fan",)]


def test_quality_is_kept(query: Query) -> None:
    assert ask(query, "SELECT quality, count(*) FROM readings GROUP BY 1 ORDER BY 1") == [(0, 140), (1, 72)]


def test_many_series_in_many_segments(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    signals = tuple(Signal(f"s{k}") for k in range(20))
    for k in range(30):
        devices = tuple(f"d{j}" for j in range(20))
        archive.segments.append(batch(100, start=100 * k, devices=devices, signals=signals))
        archive.segments.seal()
    with querying(tmp_path, Asked()) as query:
        assert ask(query, "SELECT count(*), count(DISTINCT device || signal) FROM readings") == [
            (30 * 100 * 20, 400)
        ]
    archive.close()


def test_signals_of_this_test_are_those_of_the_batches() -> None:
    assert (TEMPERATURE.low, PRESSURE.low) == (-math.inf, 0.0)
