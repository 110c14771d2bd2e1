"""`bimetal query`: answers as JSON, a table or a file, beside a writer, and its manners when it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bimetal.cli import door
from bimetal.keep.archive import Archive
from bimetal.keep.quarantine import Refused
from tests.keep.given import START, batch, event

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from bimetal.keep.segment import Segments
from tests.keep.given import batch

segments = Segments(Path(sys.argv[1]), seal_readings=900)
for k in range(100_000):
    segments.append(batch(10, start=10 * k))
    print(k, flush=True)
    if k % 7 == 0:
        segments.tend()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    archive = Archive(tmp_path / "kept")
    archive.segments.append(batch(40))
    archive.segments.seal()
    archive.segments.append(batch(30, start=40))
    archive.events.append([event(), event("fan")])
    archive.quarantine.append([Refused(START, "readings/\x1b[31mx", "c", "no\nJSON", b"\x1b[0m")])
    archive.close()
    return tmp_path / "kept"


def query(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str, str]:
    code = door.run(["query", "--data", str(folder), *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_one_json_object_a_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert query(capsys, folder, "--json", "SELECT count(*) AS n FROM readings") == (0, '{"n":140}\n', "")
    code, out, _ = query(capsys, folder, "--json", "SELECT device, time, 1.5::DECIMAL(3,1) AS d FROM events")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert lines == [{"device": d, "time": "2023-11-14T22:13:20Z", "d": 1.5} for d in ("pump", "fan")]


def test_a_table_is_aligned_and_says_what_it_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = query(capsys, folder, "FROM readings ORDER BY device, signal, time")
    assert code == 0
    assert len(out.splitlines()) == 102
    assert out.splitlines()[0].split() == ["device", "signal", "time", "value", "quality"]
    assert "more than 100 rows" in err
    code, out, err = query(capsys, folder, "--limit", "200", "FROM readings")
    assert (len(out.splitlines()), err) == (142, "")


def test_what_is_shown_cannot_steer_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("--json",)):
        _, out, _ = query(capsys, folder, *words, "SELECT topic, reason, payload FROM quarantine")
        assert "\x1b" not in out
        assert len(out.splitlines()) == (3 if not words else 1)


@pytest.mark.parametrize(
    ("words", "n"),
    [
        (("--device", "pump"), 70),
        (("--device", "pump", "--device", "fan", "--signal", "pressure"), 70),
        (("--since", "2023-11-14T22:14:00Z"), 60),
        (("--until", "2023-11-14T22:14"), 80),
        (("--since", "2023-11-15"), 0),
    ],
)
def test_options_say_what_to_look_at(
    folder: Path, words: tuple[str, ...], n: int, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = query(capsys, folder, *words, "--json", "SELECT count(*) AS n FROM readings")
    assert json.loads(out) == {"n": n}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("SELEC 1",), 1, "syntax error"),
        (("COPY readings TO 'x.csv'",), 5, "may only ask"),
        (("SELECT * FROM read_csv('/etc/passwd')",), 5, "no files"),
        (("--since", "yesterday", "SELECT 1"), 1, "not a time like"),
        (("--seconds", "0.2", "SELECT sum(sqrt(range)) FROM range(10000000000000)"), 1, "too long"),
        (("--export", "out.txt", "SELECT 1"), 1, "Parquet or CSV"),
        (("--export", "nowhere/out.csv", "SELECT 1"), 1, "no such folder"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    folder: Path, words: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = query(capsys, folder, *words)
    assert (found, out) == (code, "")
    assert said in err
    assert len(err.strip().splitlines()) <= 2


def test_no_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = query(capsys, tmp_path / "nothing", "SELECT 1")
    assert (code, out) == (4, "")
    assert "nothing is kept here" in err


def test_an_export_is_whole_and_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.parquet"
    code, out, _ = query(capsys, folder, "--json", "--export", str(path), "FROM readings")
    assert (code, json.loads(out)) == (0, {"file": str(path), "rows": 140})
    code, out, _ = query(capsys, folder, "--export", str(path), "--limit", "5", "FROM readings")
    assert out == f"{path}: 5 rows.\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "out.parquet"]


def test_without_duckdb_it_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bimetal.keep.query", "bimetal.keep.duck", "duckdb"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    code, _, err = query(capsys, folder, "SELECT 1")
    assert code == 1
    assert "pip install 'bimetal[query]'" in err


def test_it_sees_what_a_running_process_acknowledged(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    try:
        acknowledged = int(writer.stdout.readline())
        for _ in range(4):
            command = [
                "query",
                "--data",
                str(tmp_path),
                "--json",
                "SELECT count(*) n, max(value) m FROM readings",
            ]
            asked = subprocess.Popen(
                [sys.executable, "-m", "bimetal", *command], stdout=subprocess.PIPE, text=True
            )
            while asked.poll() is None:
                latest = int(writer.stdout.readline())
            assert asked.stdout is not None
            n = json.loads(asked.stdout.read())["n"]
            assert asked.returncode == 0
            assert n % 20 == 0
            assert 20 * (acknowledged + 1) <= n <= 20 * (latest + 2)
            acknowledged = latest
    finally:
        writer.kill()
        writer.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_it_at_once(folder: Path) -> None:
    endless = "SELECT sum(sqrt(range)) FROM range(10000000000000)"
    asked = subprocess.Popen(
        [sys.executable, "-m", "bimetal", "query", "--data", str(folder), endless],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(3)
        asked.send_signal(signal.SIGINT)
        _, err = asked.communicate(timeout=20)
    finally:
        asked.kill()
    assert (asked.returncode, err.strip()) == (130, "Interrupted.")
