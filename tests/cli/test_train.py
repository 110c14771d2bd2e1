"""`bimetal train`: what it reports, what it refuses before it begins, and how it is stopped."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest

from bimetal.bundle.seal import read
from bimetal.cli.progress import Progress
from bimetal.learn.card import card_of
from tests.cli.ground import call, little_room, rows, start, table

ROWS = rows()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "quiet.csv"
    path.parent.mkdir()
    path.write_text(table(ROWS), encoding="utf-8")
    return path


def names(folder: Path) -> list[str]:
    """The names in a folder, hidden ones too."""
    return sorted(p.name for p in folder.iterdir())


def test_the_report_is_short_plain_and_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = [f"{r.replace(',', ';').replace('.', ',')};7;ok;{int(k > 500)}" for k, r in enumerate(ROWS)]
    del odd[100:110]
    odd[50] = odd[50].replace("2026", "20x6", 1)
    monkeypatch.chdir(tmp_path)
    Path("plant A.csv").write_text(
        table(odd, "time;temperature (°C);flow (m³/h);mode;text;fault"), encoding="utf-8"
    )
    ended = call("train", "plant A.csv", "-o", "plant.bm", "--false-alarms", "2/day", "--ignore", "text")
    said = re.sub(r"in [\d.]+ s on \w+", "in 1.0 s on wasm", ended.out)
    said = re.sub(r"[\d,]+ bytes, signed", "50,000 bytes, signed", said)
    said = re.sub(r"takes [\d,]+ bytes of state and [\d,]+ of", "takes 400 bytes of state and 1,500 of", said)
    said, named = re.subn(r"(?m)^  \d\. 2026-01-01T\S+Z( to 2026-01-01T\S+Z)?: .*; score .*\n", "", said)
    assert 3 <= named <= 5
    said = re.sub(r"2026-01-01T00:0\S+Z/2026\S+Z", "2026-01-01T00:01:09Z/2026-01-01T00:02:31Z", said)
    assert (ended.code, ended.err) == (0, "")
    assert (
        said
        == """\
plant A.csv: CSV in utf-8 with semicolons, decimal comma
time: time (date and time, no zone given, taken as UTC), every 1 s, 99% of steps even
label: fault (rows it marks are not learned from)
signals, 2: temperature [°C], flow [m³/h]
left out, constant: mode = 7
left out, ignored, as asked for: text
rows: 590, from 2026-01-01 00:00:00 to 2026-01-01 00:09:59
gaps: 2, the longest 11 s
1 time stamp could not be read or leaps far ahead; its row has the time before it

learned from 491 rows of 1 device in 1.0 s on wasm; 99 rows left out that the label marks
promise: at most 2 false alarms a day
  not measured but extrapolated: 8.18 min of history is 1.1% of the 12 h in which one is allowed; \
train on more to make it firm
  kept in any case: what goes beyond it is held back, once 8 in reserve are spent; \
1% sure that nothing will be
  a drift test says when it no longer holds; without a change it does so at most once in 10 days
most unusual in the history, and learned from all the same (a score of 1 would alarm):
  If any of these was a fault, say so, and what is like it will be found; of the first:
  bimetal train 'plant A.csv' -o plant.bm --ignore text --false-alarms 2/day --leave-out \
2026-01-01T00:01:09Z/2026-01-01T00:02:31Z
note: it knows only what the history shows: a way of running never seen looks unusual
each device takes 400 bytes of state and 1,500 of parameters
plant.bm: 50,000 bytes, signed, with 32 golden vectors

Next: bimetal run plant.bm 'plant A.csv' --ignore text
"""
    )
    after = shlex.split(said.splitlines()[-1].removeprefix("Next: bimetal "))
    assert call(*after).code == 0


def test_what_was_a_fault_is_left_out_as_the_report_says(tmp_path: Path) -> None:
    """A flow that was once far too high is named first; left out, the model knows no more of it."""
    lines = [
        f"{r.rsplit(',', 1)[0]},{float(r.rsplit(',', 1)[1]) + 4:.3f}" if 300 <= k < 330 else r
        for k, r in enumerate(ROWS)
    ]
    (tmp_path / "plant.csv").write_text(table(lines), encoding="utf-8")
    model = tmp_path / "plant.bm"
    said = call("train", tmp_path / "plant.csv", "-o", model).out.splitlines()
    at = next(k for k, line in enumerate(said) if line.startswith("most unusual in the history"))
    first = r"  1\. 2026-01-01T00:0[45]:\S+ to 2026-01-01T00:0[56]:\S+: flow [67]\.\d+ is .*; score "
    assert re.match(first, said[at + 1])
    shown = call("show", model).out.splitlines()
    assert said[at : at + 2] == shown[shown.index(said[at]) :][:2]
    before = card_of(read(model).bundle.card)
    again = next(line for line in said[at:] if line.startswith("  bimetal train "))
    told = json.loads(call(*shlex.split(again)[1:], "--json").out)
    after = card_of(read(model).bundle.card)
    assert told["rows_left_out"] == after.rows_left_out >= 30
    assert after.threshold < before.threshold
    assert after.usual[""][1].high < 5 < before.usual[""][1].high
    (span,) = after.left_out
    assert (span.begin_ns, span.end_ns) == (before.standouts[0].begin_ns, before.standouts[0].end_ns)
    assert f"left out as faults: {shlex.split(again)[-1]}" in call("show", model).out.splitlines()
    twice = call(
        "train", tmp_path / "plant.csv", "-o", model, "--leave-out", told["standouts"][0]["leave_out"]
    )
    assert "rows left out of the times that were faults" in twice.out


@pytest.mark.parametrize(
    ("span", "code", "says"),
    [
        (
            "yesterday",
            1,
            "'yesterday' is no stretch of time. Write it like 2026-01-03T10:00/2026-01-03T12:00",
        ),
        ("2026-01-01/tomorrow", 1, "'tomorrow' is not a time like 2026-01-31"),
        ("2026-01-01T12:00/2026-01-01T10:00", 1, "ends before it begins"),
        ("2031-01-01T10:00/2031-01-01T12:00", 1, "no readings from 2031-01-01T10:00:00.000 to 2031"),
        ("2026-01-01T00:00/2026-01-02T00:00/pump", 1, "no readings of 'pump' from 2026"),
        ("2026-01-01T00:00/2026-01-02T00:00", 1, "0 healthy rows are too few"),
    ],
)
def test_what_cannot_be_left_out_is_refused(
    span: str, code: int, says: str, data: Path, tmp_path: Path
) -> None:
    assert says in call("train", data, "-o", tmp_path / "m.bm", "--leave-out", span).sentence(code)
    assert names(tmp_path) == ["in"]
    assert call("train", data, "-o", tmp_path / "models", "--each", "--leave-out", span).code == 2


def test_a_long_history_is_said_to_have_measured_the_promise(tmp_path: Path) -> None:
    path = tmp_path / "hours.csv"
    path.write_text(table([f"{k * 3600 + 1_700_000_000},{r[20:]}" for k, r in enumerate(ROWS)]))
    said = call("train", path, "-o", tmp_path / "m.bm").out
    assert re.search(r"measured: in 25 days of history 4 would be allowed; \d+ (is|are) raised there", said)


def test_the_figures_are_those_of_the_words(data: Path, tmp_path: Path) -> None:
    told = json.loads(call("train", data, "-o", tmp_path / "m.bm", "--json").out)
    assert (told["rows"], told["rows_left_out"], told["rows_thinned"], told["devices"]) == (
        600,
        0,
        0,
        ["quiet"],
    )
    assert told["bytes"] == (tmp_path / "m.bm").stat().st_size
    assert told["signals"] == [{"name": "temperature", "unit": "Cel"}, {"name": "flow", "unit": ""}]
    assert (told["time"], told["period_s"], told["promise"]) == ("time", 1.0, "1/week")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--time", "tiem"], "there is no column 'tiem'. Did you mean time?"),
        (["--signals", "temprature,flow"], "there is no column 'temprature'. Did you mean temperature (°C)?"),
        (["--signals", "flow,time"], "the column 'time' tells the time, the device or the label, and is no"),
        (["--ignore", "flwo"], "there is no column 'flwo'. Did you mean flow?"),
        (
            ["--label", "x" * 500],
            f"there is no column '{'x' * 64}'. Its columns are: time, temperature (°C), f",
        ),
        (["--device", "\u202efolw\x1b"], "there is no column '\\u202efolw\\x1b'. Did you mean flow?"),
        (["--ignore", "time,flow,temperature"], "no column is left. Leave some columns out of --ignore."),
        (["--time", "flow,temperature"], "the column 'flow' cannot be read as time"),
    ],
)
def test_a_wrong_name_is_said_with_the_nearest(
    options: list[str], says: str, data: Path, tmp_path: Path
) -> None:
    sentence = call("train", data, "-o", tmp_path / "m.bm", *options).sentence(1)
    assert sentence.startswith(f"{data}: {says}")
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize(
    "rate", ["", "often", "0/week", "-1/week", "1/fortnight", "nan/day", "1e9/day", "1\x1b/w"]
)
def test_a_rate_that_is_none_is_said_before_anything_is_read(rate: str, tmp_path: Path) -> None:
    sentence = call("train", tmp_path / "none.csv", "-o", tmp_path / "m", "--false-alarms", rate).sentence(1)
    assert "is no rate of false alarms. Write it like 1/week, 2/day or 1/month." in sentence


@pytest.mark.parametrize(
    "words", [[], ["{data}"], ["-o", "m.bm"], ["{data}", "-o", "m.bm", "--singals", "a"]]
)
def test_wrong_usage_ends_with_2(words: list[str], data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data.parent)
    ended = call("train", *(w.format(data=data) for w in words))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1] == "See: bimetal train --help"
    assert ("Did you mean '--signals'?" in ended.err) == ("--singals" in words)


def test_a_place_that_would_spoil_something_is_refused_before_anything_is_read(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("dear diary")
    (tmp_path / "twin.csv").symlink_to(data)
    before = data.read_bytes()
    for place, says in (
        (data, "this would overwrite what is read"),
        (tmp_path / "twin.csv", "this would overwrite what is read"),
        (tmp_path / "notes.txt", "there is something else of that name, and it is left as it is"),
        (Path("/dev/null"), "there is something else of that name, and it is left as it is"),
        (tmp_path, "this is a folder, not a file. Name a file in it"),
        (tmp_path / "absent" / "m.bm", "there is no such folder. Make it, or name another place"),
        (tmp_path / "notes.txt" / "m.bm", "there is no such folder"),
    ):
        assert says in call("train", data, "-o", place).sentence(1)
    assert (data.read_bytes(), (tmp_path / "notes.txt").read_text()) == (before, "dear diary")
    assert Path("/dev/null").is_char_device()
    assert names(tmp_path) == ["in", "notes.txt", "twin.csv"]


def test_a_model_is_replaced_whole_with_the_rights_a_new_file_has(data: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "m.bm").write_bytes(b"")
        assert call("train", data, "-o", tmp_path / "m.bm").code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "m.bm").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link.bm").symlink_to("m.bm")
    assert call("train", data, "-o", tmp_path / "link.bm").code == 0
    assert (tmp_path / "link.bm").is_symlink()
    assert names(tmp_path) == ["in", "link.bm", "m.bm"]


def test_a_full_disk_leaves_the_model_that_was_there(data: Path, tmp_path: Path) -> None:
    assert call("train", data, "-o", tmp_path / "m.bm").code == 0
    before = (tmp_path / "m.bm").read_bytes()
    with little_room(20_000):
        ended = call("train", data, "-o", tmp_path / "m.bm", "--false-alarms", "1/day")
    assert "m.bm: the model cannot be written: File too large. Name another place." in ended.sentence(1)
    assert (tmp_path / "m.bm").read_bytes() == before
    assert names(tmp_path) == ["in", "m.bm"]


@pytest.mark.parametrize("stage", ["reading", "learning", "calibrating", "proving"])
def test_an_interruption_at_any_stage_leaves_nothing(
    stage: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Progress, now: str, fraction: float) -> None:
        if now == stage:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "__call__", interrupt)
    ended = call("train", data, "-o", tmp_path / "m.bm")
    assert (ended.code, ended.out, ended.err.strip()) == (130, "", "Interrupted.")
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize(
    ("number", "code", "says"), [(signal.SIGINT, 130, b"Interrupted."), (signal.SIGTERM, 143, b"")]
)
def test_a_signal_ends_it_at_once_and_leaves_nothing(
    number: signal.Signals, code: int, says: bytes, tmp_path: Path
) -> None:
    child = start("train", "-", "-o", tmp_path / "m.bm", cwd=tmp_path)
    assert child.stdin
    child.stdin.write(table(ROWS[:300]).encode() * 600)  # more than a pipe holds: it is being read
    child.stdin.flush()
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err.strip()) == (code, b"", says)
    assert names(tmp_path) == []


def test_standard_input_is_read_to_its_end(data: Path, tmp_path: Path) -> None:
    child = start("train", "-", "-o", tmp_path / "m.bm")
    out, err = child.communicate(data.read_bytes()[:-5], timeout=60)
    assert (child.returncode, err) == (0, b"")
    assert out.startswith(b"standard input: CSV in utf-8 with commas\n")


def test_standard_input_larger_than_the_disk_is_said(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bimetal.wire.table.tap.SPOOL_BYTES", 1000)
    with data.open("rb") as stream, little_room(4000), monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", type("Stdin", (), {"buffer": stream}))
        sentence = call("train", "-", "-o", tmp_path / "m.bm").sentence(1)
    assert sentence.startswith("standard input: it cannot be kept until its end: File too large. Save it")
