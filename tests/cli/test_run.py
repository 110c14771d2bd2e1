"""`bimetal run` on files: rows and scores in step, events as the page says, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from bimetal.keep import event_line
from bimetal.keep.event_line import from_line
from tests.cli.ground import PATIENCE_S, Ended, broken, call, little_room, rows, score_rows, start, table

ROWS = rows(900, seed=3)


def events_of(ended: Ended) -> list[dict[str, Any]]:
    """The events that were printed as JSON."""
    return [json.loads(line) for line in ended.out.splitlines()]


def test_an_alarm_is_told_once_with_its_reason_and_when_it_is_over(quiet: Path, tmp_path: Path) -> None:
    path = tmp_path / "pump.csv"
    path.write_text(table([*broken(ROWS, 700)[:720], *ROWS[720:]]), encoding="utf-8")
    ended = call("run", quiet / "quiet.bm", path)
    (first,) = (line for line in ended.out.splitlines() if "  alarm  " in line)
    last = ended.out.splitlines()[-1]
    why = r"pump: flow .* its usual .* \(\d+% of the alarm(, for .* now)?\).*\."
    assert re.fullmatch(rf"2026-01-01T00:11:[45]\dZ  alarm  +\d+\.\d\d  {why}", first)
    assert re.fullmatch(r"2026-01-01T00:1\d:\d\dZ  cleared   .*  pump is back to normal after .*\.", last)
    assert re.fullmatch(
        r"900 rows over 15 min: 1 alarm, \d sensor faults; [\d,]+ rows a second\.\n", ended.err
    )


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Three devices in turns, with a gap, repeated and backward stamps, missing cells, and a fault of one."""
    a, b, c = rows(900, 4), broken(rows(900, 5)), rows(900, 6)
    del c[300:420]
    a[500:503] = [a[499]] * 3
    a[600:605] = a[590:595]
    b[100] = f"{b[100].split(',')[0]},,"
    lines = [
        f"{line.split(',')[0]},{name},{line.split(',', 1)[1]}"
        for k in range(900)
        for name, rows_of in (("b", b), ("a", a), ("c", c))
        for line in rows_of[k : k + 1]
    ]
    path = tmp_path / "odd.csv"
    path.write_text(table(lines, "time,pump,temperature (°C),flow"), encoding="utf-8")
    return path


def test_every_row_has_its_score_in_the_order_of_the_file(quiet: Path, odd: Path, tmp_path: Path) -> None:
    ended = call("run", quiet / "quiet.bm", odd, "--scores", tmp_path / "s.csv", "--json")
    assert ended.code == 0, ended.err
    scores, given = score_rows(tmp_path / "s.csv"), list(csv.DictReader(odd.open(encoding="utf-8")))
    assert [int(s["row"]) for s in scores] == list(range(len(given)))
    assert [(s["time"], s["device"]) for s in scores] == [(g["time"], g["pump"]) for g in given]
    assert {s["alarm"] for s in scores} == {"0", "1"}
    began: dict[str, int] = defaultdict(int)
    before: dict[str, str] = defaultdict(lambda: "0")
    for s in scores:
        began[s["device"]] += (before[s["device"]], s["alarm"]) == ("0", "1")
        before[s["device"]] = s["alarm"]
        assert float(s["score"]) >= 0
    told = [e["device"] for e in events_of(ended) if e["kind"] == "alarm"]
    assert {name: told.count(name) for name in "abc"} == {name: began[name] for name in "abc"}
    assert "Note: 8 time stamps repeat" in ended.err or "time stamps go back" in ended.err


def test_the_alarm_column_turns_where_the_events_say(quiet: Path, odd: Path, tmp_path: Path) -> None:
    ended = call("run", quiet / "quiet.bm", odd, "--scores", tmp_path / "s.csv", "--json")
    column = {(s["device"], f"{s['time']}Z"): s for s in score_rows(tmp_path / "s.csv")}
    events = [e for e in events_of(ended) if e["cause"] == "process"]
    assert events
    for event in events:
        at = column[event["device"], event["time"]]
        assert at["alarm"] == str(int(event["kind"] == "alarm")) == str(int(event["alarm"]))
        assert float(at["score"]) == pytest.approx(event["score"], rel=1e-6)


def test_a_file_and_a_stream_and_parquet_give_the_same_scores(quiet: Path, odd: Path, tmp_path: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.csv.read_csv(odd), tmp_path / "odd.parquet", row_group_size=333)
    model = quiet / "quiet.bm"
    told = [call("run", model, path, "--scores", tmp_path / f"{k}.csv", "--json").out
            for k, path in enumerate((odd, tmp_path / "odd.parquet"))]  # fmt: skip
    with start("run", model, "-", "--device", "pump", "--scores", tmp_path / "2.csv", "--json") as child:
        told.append(child.communicate(odd.read_bytes(), timeout=PATIENCE_S)[0].decode())
    assert told[0] == told[1] == told[2]
    first, second, third = (score_rows(tmp_path / f"{k}.csv") for k in range(3))
    assert first == third
    assert [(s["row"], s["device"], s["score"], s["alarm"]) for s in first] == [
        (s["row"], s["device"], s["score"], s["alarm"]) for s in second
    ]


def test_events_are_as_the_page_says(quiet: Path, odd: Path) -> None:
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", event_line.__doc__ or "", re.MULTILINE)
    documented = {name: what for names, what in rows for name in re.findall(r"`(\w+)`", names)}
    always = {name for name, what in documented.items() if not what.endswith("often absent")}
    assert len(always) == len(documented) - 2
    events = events_of(call("run", quiet / "quiet.bm", odd, "--json"))
    assert {e["kind"] for e in events} >= {"alarm", "cleared"}
    for event in events:
        assert always <= set(event) <= set(documented)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"])
        assert event["since"] <= event["time"]
        assert isinstance(event["alarm"], bool)
        assert event["sentence"].startswith(event["device"])
        for part in event["explanation"]:
            assert list(part)[:5] == ["signal", "share", "value", "usual", "unit"]
            assert set(part) <= {"signal", "share", "value", "usual", "unit", "since"}
            assert part.get("since", event["time"]) <= event["time"]
            assert 0 <= part["share"] <= 1
            assert part["usual"][0] <= part["usual"][1]
        assert from_line(json.dumps(event).encode()).device == event["device"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_a_file_is_read_leaves_nothing(
    number: signal.Signals, code: int, quiet: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    pipe = tmp_path / "pipe.csv"
    command = start("run", quiet / "quiet.bm", pipe, "--scores", tmp_path / "s.csv")
    with command as child, pipe.open("wb") as feed:
        feed.write(table(ROWS).encode())
        feed.flush()
        time.sleep(0.5)
        child.send_signal(number)
        _, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == code
    assert b"Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["pipe.csv"]


def many_events(folder: Path) -> Path:
    """A table with an alarm every few minutes."""
    path = folder / "many.csv"
    swing = [line if k % 200 < 150 else f"{line.rsplit(',', 1)[0]},30" for k, line in enumerate(rows(8000))]
    path.write_text(table(swing), encoding="utf-8")
    return path


@pytest.mark.parametrize("scores", [False, True])
def test_whoever_stops_reading_is_no_failure(scores: bool, quiet: Path, tmp_path: Path) -> None:
    options = ["--scores", tmp_path / "s.csv"] if scores else []
    with start("run", quiet / "quiet.bm", many_events(tmp_path), "--json", *options) as child:
        assert child.stdout
        assert child.stderr
        first = child.stdout.readline()
        child.stdout.close()
        err = child.stderr.read()
    assert (child.wait(PATIENCE_S), json.loads(first)["kind"] in ("quality", "alarm")) == (0, True)
    assert b"Traceback" not in err
    assert sorted(p.name for p in tmp_path.iterdir()) in (["many.csv"], ["many.csv", "s.csv"])


@pytest.mark.needs("bash")
def test_a_full_disk_is_said_and_leaves_nothing(quiet: Path, tmp_path: Path) -> None:
    data = many_events(tmp_path)
    with little_room(5000):
        ended = call("run", quiet / "quiet.bm", data, "--scores", tmp_path / "s.csv")
    assert "s.csv: the file cannot be written: File too large. Name another place." in ended.sentence(1)
    assert [p.name for p in tmp_path.iterdir()] == ["many.csv"]
    if Path("/dev/full").exists():
        with (
            Path("/dev/full").open("wb") as full,
            start("run", quiet / "quiet.bm", data, stdout=full) as child,
        ):
            _, err = child.communicate(timeout=PATIENCE_S)
        assert Ended(child.returncode, "", err.decode()).sentence(1).startswith("standard output: No space")


def test_a_closed_output_is_as_good_as_none(quiet: Path) -> None:
    command = f'exec "$0" -m bimetal.cli run "{quiet / "quiet.bm"}" "{quiet / "quiet.csv"}" >&-'
    import sys

    done = subprocess.run(
        ["bash", "-c", command, sys.executable], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_scores_never_overwrite_what_is_read(quiet: Path, tmp_path: Path) -> None:
    for name in ("quiet.csv", "quiet.bm"):
        (tmp_path / name).write_bytes((quiet / name).read_bytes())
    for place, says in (
        ("quiet.csv", "this would overwrite what is read"),
        ("quiet.bm", "this would overwrite what is read"),
        ("absent/s.csv", "there is no such folder"),
        (".", "this is a folder, not a file"),
    ):
        ended = call("run", tmp_path / "quiet.bm", tmp_path / "quiet.csv", "--scores", tmp_path / place)
        assert says in ended.sentence(1)
    ended = call("run", tmp_path / "quiet.bm", tmp_path / "quiet.csv", "--scores", "/dev/null")
    assert ended.code == 0
    assert Path("/dev/null").is_char_device()


def test_model_and_data_in_the_wrong_order_are_seen(quiet: Path) -> None:
    sentence = call("run", quiet / "quiet.csv", quiet / "quiet.bm").sentence(1)
    assert sentence.endswith(f"Try: bimetal run {quiet / 'quiet.bm'} {quiet / 'quiet.csv'}.")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--time", "tmie"], "there is no column 'tmie'. Did you mean time?"),
        (
            ["--device", "machine"],
            "there is no column 'machine'. Its columns are: time, temperature (°C), flow.",
        ),
        (["--ignore", "flows"], "there is no column 'flows'. Did you mean flow?"),
    ],
)
def test_a_wrong_name_is_said_with_the_nearest(options: list[str], says: str, quiet: Path) -> None:
    data = quiet / "quiet.csv"
    assert call("run", quiet / "quiet.bm", data, *options).sentence(1) == f"{data}: {says}"


def test_alarms_that_the_budget_held_back_are_counted(quiet: Path, tmp_path: Path) -> None:
    lines = rows(2400, seed=3)
    for k in range(300, 2400, 60):
        lines[k : k + 4] = [f"{line.rsplit(',', 1)[0]},60.0" for line in lines[k : k + 4]]
    (tmp_path / "often.csv").write_text(table(lines), encoding="utf-8")
    ended = call("run", quiet / "quiet.bm", tmp_path / "often.csv", "--json")
    assert ended.code == 0, ended.err
    told = re.search(r"(\d+) alarms?, .*suppressed by the budget: (\d+) alarms?;", ended.err)
    assert told is not None, ended.err
    assert int(told[1]) >= 1
    assert int(told[2]) >= 1
    calm = call("run", quiet / "quiet.bm", quiet / "quiet.csv")
    assert "suppressed" not in calm.err
