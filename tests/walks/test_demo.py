"""The main job, as a newcomer runs it: machines, faults, alarms with reasons, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bimetal.cli import door
from bimetal.keep.archive import Archive

FIGURES = {
    "readings",
    "scored",
    "alarms",
    "faults_injected",
    "faults_found",
    "false_alarms",
    "seconds_to_first_alarm",
    "p99_ms",
}
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a demo whose key and data lie in a folder of the test."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bimetal", "demo", "--data", str(home / "data"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "BIMETAL_HOME": str(home / "keys")},
    )


def children(pid: int) -> list[int]:
    """The processes a process has started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_fault_is_found_and_said_why(tmp_path: Path) -> None:
    demo = start(tmp_path, "--headless", "--seconds", "80", "--machines", "6", "--json")
    out, err = demo.communicate(timeout=120)
    assert "Traceback" not in err
    told = json.loads(out)
    assert told.keys() >= FIGURES
    assert told["faults_injected"] == told["faults_found"] > 0
    assert demo.returncode == 0
    assert 0 < told["scored"] <= told["readings"]
    assert told["seconds_to_first_alarm"] < 80
    assert told["data"] == str(tmp_path / "data")
    archive = Archive(tmp_path / "data")
    try:
        assert sum(h.rows for h in archive.segments.held()) == told["readings"]
        events = archive.events.read()
        assert events.damaged == 0
        assert all(e.sentence.startswith(e.device) for e in events.events)
    finally:
        archive.close()


def test_the_page_answers_within_seconds(tmp_path: Path) -> None:
    demo = start(tmp_path, "--port", "0")
    try:
        assert demo.stderr is not None
        url = demo.stderr.readline().split()[-1]
        deadline = time.monotonic() + 20
        readings = 0
        while not readings and time.monotonic() < deadline:
            with urllib.request.urlopen(f"{url}/api/v1/health", timeout=5) as answer:
                readings = json.load(answer)["readings"]
            time.sleep(0.1)
        assert readings
    finally:
        demo.terminate()
        demo.communicate(timeout=20)
    assert demo.returncode == 0


@POSIX
@pytest.mark.parametrize(
    ("number", "arguments", "code"),
    [
        (signal.SIGINT, (), 0),
        (signal.SIGTERM, (), 0),
        (signal.SIGINT, ("--seconds", "60"), 130),
        (signal.SIGKILL, (), -9),
    ],
)
def test_nothing_is_left_running(
    tmp_path: Path, number: signal.Signals, arguments: tuple[str, ...], code: int
) -> None:
    demo = start(tmp_path, "--headless", *arguments)
    assert demo.stderr is not None
    while "Learning" not in demo.stderr.readline():
        assert demo.poll() is None
    plant = children(demo.pid)
    assert plant
    demo.send_signal(number)
    _, err = demo.communicate(timeout=20)
    assert demo.returncode == code
    assert "Traceback" not in err
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in plant):
        assert time.monotonic() < deadline, "the plant outlived the demo"
        time.sleep(0.05)
    Archive(tmp_path / "data").close()


@pytest.mark.parametrize("option", ["--port", "--mqtt-port"])
def test_a_port_in_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        free = () if option == "--port" else ("--port", "0")
        assert door.run(["demo", option, port, *free, "--data", str(tmp_path / "data")]) == 1
    err = capsys.readouterr().err
    assert port in err
    assert "Traceback" not in err
    assert [line for line in err.splitlines() if line][-1].endswith(".")


def test_a_folder_that_cannot_be_one_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert door.run(["demo", "--headless", "--data", str(tmp_path / "file")]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_a_folder_in_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = Archive(tmp_path / "data")
    try:
        assert door.run(["demo", "--headless", "--data", str(tmp_path / "data")]) == 1
    finally:
        archive.close()
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--seconds", "5"], ["--machines", "0"], ["--port", "99999"]])
def test_numbers_that_cannot_be_are_refused(arguments: list[str]) -> None:
    assert door.run(["demo", *arguments]) == 2


def test_a_promise_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["demo", "--headless", "--false-alarms", "seldom"]) == 1
    assert "1/week" in capsys.readouterr().err
