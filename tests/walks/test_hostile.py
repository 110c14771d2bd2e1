"""Hostile files: whatever a stranger hands over, a model or one sentence comes of it, nothing half-done."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from tests.cli.ground import COUNT, HEAD, call, rows, table, trained, unprivileged

ROWS = rows()
GOOD = table(ROWS)
NAMES = GOOD.split("\n", 1)


def cut(cells: int, tail: str, every: int = 1) -> str:
    """The table with the last cells of every so many rows replaced."""
    return table(
        [",".join([*r.split(",")[:cells], tail]) if k % every == 0 else r for k, r in enumerate(ROWS)]
    )


def headed(head: str) -> str:
    """The table under another header."""
    return f"{head}\n{NAMES[1]}"


def wide(columns: int) -> bytes:
    """A table of many columns."""
    line = ",".join(f"{v:.2f}" for v in np.random.default_rng(1).normal(size=columns))
    return table(
        [f"{r.split(',')[0]},{line[k:]}{line[:k]}" for k, r in enumerate(ROWS[:70])],
        "time," + ",".join(f"c{k}" for k in range(columns)),
    ).encode()


def parquet(table: pyarrow.Table) -> bytes:
    """A table as a Parquet file."""
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def numbers(count: int = COUNT) -> pyarrow.Table:
    """A small columnar table."""
    return pyarrow.table({"time": np.arange(count) + 1.7e9, "temperature": np.sin(np.arange(count) / 9.0)})


def bent(content: bytes, at: int) -> bytes:
    """The same with a few bits turned over."""
    return content[:at] + bytes(b ^ 0x55 for b in content[at : at + 40]) + content[at + 40 :]


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and what `train` and `run` make of it: the exit code and words they must say."""

    name: str
    content: bytes
    train: tuple[int, str]
    run: tuple[int, str]

    def __str__(self) -> str:
        return self.name


def case(name: str, content: str | bytes, train: tuple[int, str], run: tuple[int, str] | None = None) -> Case:
    """A case; `run` says the same as `train` unless told."""
    return Case(name, content.encode() if isinstance(content, str) else content, train, run or train)


PACKED = gzip.compress(GOOD.encode(), mtime=0)
EMPTY = (1, "the file is empty. Give a table")
NONE = (1, "the file holds no rows. Give a table")
HEADER = (1, "there are no rows below the header. Give a table")
TRAINED = (0, "golden vectors")
SCORED = (0, "600 rows over 9.98 min")
SILENT = (0, "has been silent")

CASES = [
    case("empty.csv", b"", EMPTY),
    case("empty.parquet", b"", EMPTY),
    case("blank.csv", "\n\n  \n", NONE),
    case("mark-alone.csv", b"\xef\xbb\xbf", NONE),
    case("header-alone.csv", HEAD + "\n", HEADER),
    case("header-without-an-end.csv", HEAD, HEADER),
    case("one-row.csv", table(ROWS[:1]), (1, "there is only one row. Give"), (0, "1 row: 0 alarms")),
    case("few.csv", table(ROWS[:20]), (1, "20 healthy rows are too few to learn from. Give at least 64"),
         (0, "20 rows over")),
    case("constant.csv", cut(1, "1,2"), (1, "no column is a signal (temperature: constant (1); flow: con"),
         (0, "has repeated 1 °C")),
    case("nothing-but-nan.csv", cut(1, "NaN,nan"), (1, "no column is a signal (temperature: empty"), SILENT),
    case("nothing-but-inf.csv", cut(1, "inf,-inf"), (1, "no column is a signal"), SILENT),
    case("nan-and-inf.csv", cut(1, "NaN,inf", 10), (0, "120 values are missing: 60 infinite"),
         (0, "120 values are missing: 60 infinite")),
    case("repeated.csv", table([r for r in ROWS for _ in "ab"]), (0, "600 time stamps repeat the one before"),
         (0, "600 time stamps repeat")),
    case("backward.csv", table([*ROWS[:100], *ROWS[50:60], *ROWS[110:]]),
         (0, "10 time stamps go back and were set to the one before"), (0, "10 time stamps go back")),
    case("newest-first.csv", table(ROWS[::-1]), (0, "rows run from new to old"), (0, "from new to old")),
    case("same-stamp.csv", table(["2026-01-01T00:00:00" + r[19:] for r in ROWS]), (0, "step unknown"),
         (0, "600 rows: 0 alarms")),
    case("no-stamp.csv", table(["soon" + r[19:] for r in ROWS]),
         (0, "note: the column time cannot be read as time: 'soon'"), (0, "cannot be read as time: 'soon'")),
    case("words-between.csv", cut(2, "oops", 7), (0, "86 values are missing: 86 no number"),
         (0, "86 values are missing: 86 no number")),
    case("half-words.csv", cut(2, "oops", 2), (0, "left out, text: 50% of its cells are no numbers"),
         (0, "300 values are missing: 300 no number")),
    case("wide.csv", wide(10_000), (1, "it has 10,000 columns of numbers, and a model takes at most 512 sig"),
         (1, "2 of 2 signals are not there: temperature, flow. Its columns are: c0, c1, c2")),
    case("latin-1.csv", GOOD.encode("latin-1"), (0, "CSV in cp1252"), SCORED),
    case("utf-16.csv", GOOD.encode("utf-16"), (0, "CSV in utf-16-le"), SCORED),
    case("utf-16-no-mark.csv", GOOD.encode("utf-16-be"), (0, "CSV in utf-16-be"), SCORED),
    case("utf-16-half-a-letter.csv", GOOD.encode("utf-16")[:-3], TRAINED, SCORED),
    case("old-mac.csv", GOOD.replace("\n", "\r"), TRAINED, SCORED),
    case("ragged.csv", cut(2, "1,9,9", 13), (0, "47 rows had too many or too few cells"), (0, "47 rows had")),
    case("mid-line.csv", GOOD[:-9], (0, "1 row had too many or too few cells"), (0, "1 row had too many or")),
    case("open-quote.csv", headed('time,temperature (°C),"flow'), TRAINED, SCORED),
    case("zero-bytes.csv", GOOD.encode()[:700] + bytes(5) + GOOD.encode()[700:], TRAINED, SCORED),
    case("random.csv", np.random.default_rng(0).bytes(5000), (1, "this is binary data, not text. Give")),
    case("lines.json", '{"a": 1}\n{"a": 2}\n', (1, "this is JSON, not a table. Convert it to CSV")),
    case("prose.csv", "hello world\nthis is text\nno table here\n", (1, "no column is a signal"),
         (1, "2 of 2 signals are not there")),
    case("endless-line.csv", HEAD + "\n" + "1" * (9 << 20), (1, "its first two lines are longer than 1 MB")),
    case("endless-header.csv", "a," * (3 << 20) + "\n1,2\n", (1, "its first line is longer than 1 MB")),
    case("names-that-order.csv", headed("time,\u202etemp\x1b\x07erature\u200b (°C),flow"),
         (0, "signals, 2: temperature [°C], flow"), SCORED),
    case("endless-name.csv", headed("time,temperature (°C)," + "flow" * 2000), (0, "flow" * 32), SILENT),
    case("no-name.csv", headed("time,temperature (°C),"), (0, "temperature [°C], c3"), SILENT),
    case("same-names.csv", headed("time,flow,flow"), (0, "signals, 2: flow, flow_2"),
         (0, "missing throughout, because no column has that name: temperature")),
    case("too-large.csv", table([f"{r.rsplit(',', 1)[0]},{1 + k % 7}e300" for k, r in enumerate(ROWS)]),
         TRAINED, (0, "the flow sensor says 1e+300, which it cannot have measured")),
    case("too-small.csv", table([f"{r.rsplit(',', 1)[0]},{1 + k % 7}e-300" for k, r in enumerate(ROWS)]),
         TRAINED, (0, "600 rows")),
    case("packed.csv.gz", PACKED, TRAINED, SCORED),
    case("packed-cut.csv.gz", PACKED[:-300], (1, "it cannot be unpacked: Compressed file ended")),
    case("packed-bent.csv.gz", bent(PACKED, len(PACKED) // 2), (1, "it cannot be unpacked: ")),
    case("cut.parquet", parquet(numbers())[:-50], (1, "the Parquet file is damaged or cut short")),
    case("bent.parquet", bent(parquet(numbers()), 300), (1, "the Parquet file is damaged or cut short")),
    case("no-rows.parquet", parquet(numbers(0)), HEADER),
    case("four-bytes.parquet", b"PAR1", (1, "the Parquet file is damaged or cut short")),
    case("model.csv", b"BIMETAL\x01" + bytes(2000), (1, "this is a bimetal model, not a table")),
]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("quiet"))


@pytest.mark.parametrize("hostile", CASES, ids=str)
def test_train_makes_a_model_or_says_why_not(hostile: Case, tmp_path: Path) -> None:
    data, output = tmp_path / hostile.name, tmp_path / "m.bm"
    data.write_bytes(hostile.content)
    ended = call("train", data, "-o", output)
    code, words = hostile.train
    if code:
        sentence = ended.sentence(code)
        assert sentence.startswith(f"{data}: ")
        assert words in sentence
        assert not ended.out
    else:
        assert (ended.code, ended.err) == (0, "")
        assert words in ended.out
        assert all(line.isprintable() for line in ended.out.splitlines())
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([data.name, *(["m.bm"] if not code else [])])


@pytest.mark.parametrize("hostile", CASES, ids=str)
def test_run_scores_every_row_or_says_why_not(hostile: Case, model: Path, tmp_path: Path) -> None:
    data, scores = tmp_path / hostile.name, tmp_path / "scores.csv"
    data.write_bytes(hostile.content)
    ended = call("run", model, data, "--scores", scores)
    code, words = hostile.run
    if code:
        sentence = ended.sentence(code)
        assert sentence.startswith(f"{data}: ")
        assert words in sentence
        assert (ended.out, scores.exists()) == ("", False)
        return
    assert ended.code == 0, ended.err
    assert words in ended.out + ended.err
    told = scores.read_text(encoding="utf-8").splitlines()[1:]
    assert sorted(int(line.split(",")[0]) for line in told) == list(range(len(told)))
    assert ended.err.splitlines()[-1].startswith(f"{len(told):,} row")


def test_there_are_cases() -> None:
    assert len({c.name for c in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("words", [("train", "{}", "-o", "{}/../m.bm"), ("run", "{model}", "{}")])
def test_a_folder_in_place_of_a_file_is_said_with_the_files_in_it(
    words: Sequence[str], model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text(GOOD)
    sentence = call(*(w.format(tmp_path / "in", model=model) for w in words)).sentence(1)
    assert f"this is a folder, not a file. Name a file in it: {tmp_path / 'in' / 'a.csv'}." in sentence


def test_a_missing_file_is_not_found(model: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent" / "a.csv"
    says = f"{absent}: there is no such file. Check the name and the folder."
    assert call("train", absent, "-o", tmp_path / "m.bm").sentence(4) == says
    assert call("run", model, absent).sentence(4) == says
    for command in (["show"], ["verify"], ["build", "-o", tmp_path / "c"], ["run", tmp_path / "a.csv"]):
        ended = call(command[0], tmp_path / "no.bm", *command[1:])
        assert "there is no such model. Make one with: bimetal train" in ended.sentence(4)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that nobody in particular may enter."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


def test_what_may_not_be_read_or_written_is_said(
    outside: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outside / "closed.csv").write_text(GOOD)
    (outside / "quiet.bm").write_bytes(model.read_bytes())
    (outside / "open.csv").write_text(GOOD)
    (outside / "closed").mkdir(mode=0o500)
    (outside / "closed.csv").chmod(0)
    monkeypatch.setenv("BIMETAL_HOME", str(outside / "home"))
    with unprivileged():
        read = call("train", outside / "closed.csv", "-o", outside / "m.bm")
        run = call("run", outside / "quiet.bm", outside / "closed.csv")
        show = call("show", outside / "closed.csv")
        write = call("train", outside / "open.csv", "-o", outside / "closed" / "m.bm")
        scores = call("run", outside / "quiet.bm", outside / "open.csv", "--scores", outside / "closed" / "s")
        build = call("build", outside / "quiet.bm", "-o", outside / "closed" / "c")
    for ended in (read, run):
        assert "closed.csv: this file may not be read. Change its permissions" in ended.sentence(1)
    assert "closed.csv: the model cannot be read: Permission denied" in show.sentence(1)
    for ended in (write, scores, build):
        assert "this folder may not be written to. Name another" in ended.sentence(1)
    assert not (outside / "m.bm").exists()
