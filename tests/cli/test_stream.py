"""`bimetal run MODEL -`: events as they happen, columns in any order, poison told, nothing stopped."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from queue import Empty, Queue

import pytest

from tests.cli.ground import HEAD, PATIENCE_S, Ended, broken, call, rows, score_rows, start, table

ROWS = rows(900, seed=3)


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
    while event["kind"] == "quality":  # a sensor that jumped may be told first
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
        ((1, 0, 2, 3, 4), True, "Note: left out, because the model does not know them: spare."),
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
            "2 of 2 signals are not there: temperature, flow. Its columns are: a, b",
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
