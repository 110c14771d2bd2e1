"""`bimetal sample`: the same seed gives the same file, and nobody else's file is written over."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import pytest

from tests.cli.ground import call, little_room


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ended = call("sample", "-o", tmp_path / name, "--seconds", 60, "--seed", seed)
        assert (ended.code, ended.err) == (0, "")
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_what_is_said_is_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "my plant.csv"
    ended = call("sample", "-o", path, "--machines", 1, "--seconds", 100, "--rate", 2)
    assert ended.out.startswith(f"{path}: 200 rows of 1 machine, ")
    assert (
        call(
            *shlex.split(ended.out.splitlines()[-1].removeprefix("Next: bimetal "))[:2], "-o", tmp_path / "m"
        ).code
        == 0
    )
    told = json.loads(call("sample", "-o", path, "--seconds", 100, "--json").out)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert told["rows"] == len(rows) == 4000
    assert {f["machine"] for f in told["faults"]} == {r["machine"] for r in rows if r["fault"] == "1"}


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--scenario", "nonsense"], 4, "there is no scenario nonsense. Use one of: healthy, faults"),
        (["--seconds", "nan"], 1, "cannot be simulated. Ask for at most"),
        (["--machines", "1000", "--seconds", "86400", "--rate", "100"], 1, "cannot be simulated"),
    ],
)
def test_what_cannot_be_is_said(options: list[str], code: int, says: str, tmp_path: Path) -> None:
    assert says in call("sample", "-o", tmp_path / "p.csv", *options).sentence(code)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_sample_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("time,machine,fault count\n1,2,3\n")
    for place, says in (
        ("mine.csv", "there is a file of that name, which is no sample, and it is left as it is"),
        (".", "this is a folder, not a file"),
        ("absent/p.csv", "there is no such folder"),
    ):
        assert says in call("sample", "-o", tmp_path / place).sentence(1)
    assert (tmp_path / "mine.csv").read_text().startswith("time,machine,fault count")
    (tmp_path / "empty.csv").touch()
    for _ in "ab":
        assert call("sample", "-o", tmp_path / "empty.csv", "--seconds", 30).code == 0


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with little_room(10_000):
        ended = call("sample", "-o", tmp_path / "p.csv")
    assert "p.csv: the file cannot be written: File too large." in ended.sentence(1)
    assert list(tmp_path.iterdir()) == []
