"""`bimetal run`: rows and scores in step, events as they happen, streams without end, its endings."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from bimetal.bundle.seal import read, write
from bimetal.keep import event_line
from bimetal.keep.event_line import from_line
from bimetal.trust.key import KeyFolder
from tests.cli.ground import HEAD, Ended, call, little_room, rows, start, table

ROWS = rows(900, seed=3)
PATIENCE_S = 60.0


def broken(lines: Sequence[str], since: int = 700) -> list[str]:
    """The rows with a flow that rises far beyond all that was seen, from a row on."""
    return [
        line if k < since else f"{line.rsplit(',', 1)[0]},{3 + (k - since) * 0.2:.3f}"
        for k, line in enumerate(lines)
    ]


def score_rows(path: Path) -> list[dict[str, str]]:
    """What `--scores` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def events_of(ended: Ended) -> list[dict[str, Any]]:
    """The events that were printed as JSON."""
    return [json.loads(line) for line in ended.out.splitlines()]


def test_an_alarm_is_told_once_with_its_reason_and_when_it_is_over(quiet: Path, tmp_path: Path) -> None:
    path = tmp_path / "pump.csv"
    path.write_text(table([*broken(ROWS, 700)[:720], *ROWS[720:]]), encoding="utf-8")
    ended = call("run", quiet / "quiet.bm", path)
    first, last = ended.out.splitlines()
    assert re.fullmatch(
        r"2026-01-01T00:11:[45]\dZ  alarm  +\d+\.\d\d  pump: flow .* its usual .* \(\d+% of the alarm\).*\.",
        first,
    )
    assert re.fullmatch(r"2026-01-01T00:1\d:\d\dZ  cleared   .*  pump is back to normal after .*\.", last)
    assert re.fullmatch(
        r"900 rows over 15 min: 1 alarm, 0 sensor faults; [\d,]+ rows a second\.\n", ended.err
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
    documented = {
        name
        for row in re.findall(r"^\| (`.*?) \| ", event_line.__doc__ or "", re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    events = events_of(call("run", quiet / "quiet.bm", odd, "--json"))
    assert {e["kind"] for e in events} >= {"alarm", "cleared"}
    for event in events:
        assert set(event) == documented
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"])
        assert event["since"] <= event["time"]
        assert isinstance(event["alarm"], bool)
        assert event["sentence"].startswith(event["device"])
        for part in event["explanation"]:
            assert list(part) == ["signal", "share", "value", "usual", "unit"]
            assert 0 <= part["share"] <= 1
            assert part["usual"][0] <= part["usual"][1]
        assert from_line(json.dumps(event).encode()).device == event["device"]


class Live:
    """A `bimetal run MODEL -` that is fed slowly; what it says arrives in queues."""

    def __init__(self, model: Path, *options: object) -> None:
        self.child = start("run", model, "-", *options)
        self.said: Queue[str] = Queue()
        self.told: Queue[str] = Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, queue), daemon=True)
            for stream, queue in ((self.child.stdout, self.said), (self.child.stderr, self.told))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Iterable[bytes], queue: Queue[str]) -> None:
        for line in stream:
            queue.put(line.decode().rstrip("\n"))

    def feed(self, lines: Iterable[str] | bytes) -> None:
        """Write lines, or bytes as they are, and leave the pipe open."""
        assert self.child.stdin
        self.child.stdin.write(
            lines if isinstance(lines, bytes) else "".join(f"{x}\n" for x in lines).encode()
        )
        self.child.stdin.flush()

    def line(self) -> str:
        """Wait for the next line on standard output."""
        try:
            return self.said.get(timeout=PATIENCE_S)
        except Empty:
            raise AssertionError(
                f"nothing was said; exit code {self.child.poll()}, {_drained(self.told)}"
            ) from None

    def end(self) -> tuple[int, list[str], list[str]]:
        """Close the pipe; return the exit code and what is left on both streams."""
        assert self.child.stdin
        self.child.stdin.close()
        self.child.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        self.child.stdout and self.child.stdout.close()
        self.child.stderr and self.child.stderr.close()
        return self.child.returncode, _drained(self.said), _drained(self.told)


def _drained(queue: Queue[str]) -> list[str]:
    found: list[str] = []
    while True:
        try:
            found.append(queue.get_nowait())
        except Empty:
            return found


def test_an_event_arrives_while_the_pipe_stays_open(quiet: Path) -> None:
    live, lines = Live(quiet / "quiet.bm", "--json"), broken(ROWS, 200)
    live.feed(f"{HEAD}\n".encode())
    live.feed(lines[0][:11].encode())
    time.sleep(0.1)
    live.feed(f"{lines[0][11:]}\n".encode())
    live.feed(lines[1:150])
    assert live.said.empty()
    live.feed(lines[150:400])
    event = json.loads(live.line())
    assert (event["kind"], event["device"]) == ("alarm", "stdin")
    assert live.child.poll() is None
    code, _, told = live.end()
    assert code == 0
    assert told[-1].startswith("400 rows over 6.65 min: 1 alarm,")


@pytest.mark.parametrize(
    ("order", "head", "note"),
    [
        ((0, 1, 2), True, ""),
        ((0, 1, 2), False, "Note: no header: columns are taken to be those the model learned from."),
        ((2, 0, 1), True, ""),
        ((1, 0, 2, 3, 4), True, ""),
    ],
    ids=["as-trained", "no-header", "another-order", "more-columns"],
)
def test_columns_of_a_stream_find_their_signals(
    order: Sequence[int], head: bool, note: str, quiet: Path, tmp_path: Path
) -> None:
    cells = [[*line.split(","), "7", "text"] for line in (f"{HEAD}", *broken(ROWS)[:800])]
    cells[0][3:] = ["spare", "note"]
    lines = [",".join(row[k] for k in order) for row in cells]
    live = Live(quiet / "quiet.bm", "--scores", tmp_path / "live.csv")
    live.feed(lines if head else lines[1:])
    code, said, told = live.end()
    (tmp_path / "stdin.csv").write_text(table(broken(ROWS)[:800]), encoding="utf-8")
    whole = call("run", quiet / "quiet.bm", tmp_path / "stdin.csv", "--scores", tmp_path / "whole.csv")
    assert (code, said) == (0, whole.out.splitlines())
    assert (tmp_path / "live.csv").read_text() == (tmp_path / "whole.csv").read_text()
    assert told[:-1] == ([note] if note else [])


def test_a_stream_that_lacks_a_column_says_so_and_goes_on(quiet: Path) -> None:
    live = Live(quiet / "quiet.bm")
    live.feed(",".join(line.split(",")[:2]) for line in [HEAD, *ROWS[:100]])
    code, said, told = live.end()
    assert code == 0
    assert [line.split("  ", 1)[1] for line in said] == [
        "quality   0.00  stdin: the flow sensor has been silent for 8 s."
    ]
    assert told[0] == "Note: missing throughout, because no column has that name: flow."


def test_poison_is_told_by_its_line_and_nothing_stops(quiet: Path, tmp_path: Path) -> None:
    lines = [HEAD, *broken(ROWS)[:800]]
    lines[10] = "garbage"
    lines[20] = ",".join(map(str, range(9)))
    lines[30] = f"{lines[30].rsplit(',', 1)[0]},hot"
    lines[40] = ""
    lines[50] = '"open,1,2'
    lines[60] = "\u202e\x1b[2J,1,2,3"
    live = Live(quiet / "quiet.bm", "--scores", tmp_path / "s.csv")
    live.feed(lines)
    code, said, told = live.end()
    assert code == 0
    assert any("  alarm  " in line and "flow" in line for line in said)
    assert told[:-1] == [
        "standard input, line 11: it has 1 cell, not 3.",
        "standard input, line 21: it has 9 cells, not 3.",
        "standard input, line 31: 'hot' is no number, in column flow.",
        "standard input, line 51: it has 1 cell, not 3.",
        "standard input, line 61: it has 4 cells, not 3.",
    ]
    assert len(score_rows(tmp_path / "s.csv")) == 799  # the empty line is no row


def test_much_poison_is_not_a_flood(quiet: Path) -> None:
    live = Live(quiet / "quiet.bm")
    live.feed([HEAD, *broken(ROWS[:400], 50)])
    live.line()
    live.feed(["garbage"] * 3000)
    code, _, told = live.end()
    assert code == 0
    assert len(told) == 10 + 3 + 2
    assert told[-2] == "Note: 3,000 cells or lines of standard input could not be read."


def test_poison_makes_no_device_of_its_own(quiet: Path, tmp_path: Path) -> None:
    lines = [f"{r.split(',')[0]},pump-{k % 2},{r.split(',', 1)[1]}" for k, r in enumerate(ROWS)]
    lines[0] = lines[200] = "total: none"
    live = Live(quiet / "quiet.bm", "--scores", tmp_path / "s.csv")
    live.feed(["time,machine,temperature (°C),flow", *lines[:1]])
    time.sleep(0.3)
    live.feed(lines[1:201])
    time.sleep(0.3)
    live.feed(lines[201:])
    assert live.end()[0] == 0
    assert {s["device"] for s in score_rows(tmp_path / "s.csv")[1:]} == {"pump-0", "pump-1"}


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"", "there is nothing in it. Send a header, then one row in each line."),
        (f"{HEAD}\n".encode(), "it ended before the first row. Send a header, then one row in each line."),
        (
            b"a,b,c\n1,2,3\n",
            "2 of the model's 2 signals are not there: temperature, flow. Its columns are: a, b",
        ),
        (bytes(range(256)) * 9, "this is binary data, not text. Give a CSV or Parquet file."),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "this is a picture, not a table. Give a CSV or Parquet file."),
        (b"1,2,3,4,5\n" * 9, "there is no header, and 5 columns cannot be told to be the model's 2 signals"),
        (b"x" * (9 << 20), "its first line is too long"),
    ],
    ids=["nothing", "header-alone", "other-columns", "binary", "picture", "no-header", "endless-line"],
)
def test_a_stream_that_is_no_table_is_refused(sent: bytes, says: str, quiet: Path, tmp_path: Path) -> None:
    with start("run", quiet / "quiet.bm", "-") as child:
        out, err = child.communicate(sent, timeout=PATIENCE_S)
    assert f"standard input: {says}" in Ended(child.returncode, out.decode(), err.decode()).sentence(1)


def test_a_stream_that_ends_in_the_middle_of_a_line_is_scored_to_its_end(quiet: Path) -> None:
    with start("run", quiet / "quiet.bm", "-") as child:
        out, err = child.communicate(table(ROWS).encode()[:-7], timeout=PATIENCE_S)
    assert (child.returncode, out) == (0, b"")
    assert b"900 rows over 15 min" in err


def test_scores_of_a_stream_are_there_when_it_is_interrupted(quiet: Path, tmp_path: Path) -> None:
    live = Live(quiet / "quiet.bm", "--scores", tmp_path / "s.csv")
    live.feed([HEAD, *ROWS[:300]])
    waited_s = time.monotonic()
    while not (tmp_path / "s.csv").exists() or len(score_rows(tmp_path / "s.csv")) < 300:
        assert time.monotonic() - waited_s < PATIENCE_S
        time.sleep(0.05)
    live.child.send_signal(signal.SIGINT)
    code, _, told = live.end()
    assert code == 130
    assert told[-1] == "Interrupted."
    assert any(line.startswith("300 rows over") for line in told)
    assert len(score_rows(tmp_path / "s.csv")) == 300


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
    assert (child.wait(PATIENCE_S), json.loads(first)["kind"]) == (0, "alarm")
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


def hostile_models(quiet: Path) -> Iterator[tuple[bytes, int, str]]:
    """Model files that are none, with the exit code and the words they are refused with."""
    whole = (quiet / "quiet.bm").read_bytes()
    make = "this is not a bimetal model. Make one with: bimetal train DATA -o MODEL."
    yield b"", 1, "this is not a bimetal model: the file is empty. Make one with"
    yield b"time,a\n1,2\n", 1, make
    yield whole[:50], 1, "the model file is truncated or has bytes to spare. Copy it again."
    yield whole[:-1], 1, "the model file is truncated or has bytes to spare. Copy it again."
    yield whole + b"\n", 1, "the model file is truncated or has bytes to spare. Copy it again."
    yield b"BIMETAL\x02" + whole[8:], 1, "the model was made by a newer bimetal. Upgrade bimetal."
    for at in (20, 60, 200, len(whole) - 40):
        flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        yield (
            flipped,
            5,
            "the signature does not fit the content. The file was changed or damaged: get it again.",
        )


@pytest.mark.parametrize("command", ["run", "show", "verify", "build"])
def test_a_model_that_is_none_is_refused_in_a_sentence(command: str, quiet: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.bm"
    rest = {"run": [quiet / "quiet.csv"], "build": ["-o", tmp_path / "c"]}.get(command, [])
    for content, code, says in hostile_models(quiet):
        path.write_bytes(content)
        sentence = call(command, path, *rest).sentence(code)
        assert sentence.startswith(f"{path}: {says}")
    path.unlink()
    path.mkdir()
    assert "the model cannot be read: Is a directory" in call(command, path, *rest).sentence(1)
    assert [p.name for p in tmp_path.iterdir()] == ["m.bm"]


@pytest.mark.parametrize("command", ["run", "show", "verify", "build"])
def test_a_stranger_s_signature_is_told_on_standard_error(command: str, quiet: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.bm"
    write(path, read(quiet / "quiet.bm").bundle, KeyFolder(tmp_path / "stranger").signing_key())
    rest = {"run": [quiet / "quiet.csv"], "build": ["-o", tmp_path / "c"]}.get(command, [])
    ended = call(command, path, *rest)
    assert ended.code == 0
    told = ended.err.splitlines()[0]
    assert re.fullmatch(
        r"Note: .*m\.bm is whole, but signed with a key not known here \([0-9a-f]{16}\): "
        r"use it only if you know where it is from\.",
        told,
    )
