"""A server that reads somebody's broker: what it has acknowledged there is kept, through any end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bimetal.cli import door
from bimetal.keep.quarantine import read_quarantine
from tests.walks.test_serve import Running, kept, start
from tests.wire.transports.mosquitto import Mosquitto

pytestmark = pytest.mark.needs("mosquitto")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "mosquitto").start()
    yield broker
    broker.stop()


def serving(folder: Path, broker: Mosquitto) -> Running:
    """Start a server with one line of TOML, and wait until it reads."""
    line = f'plant = "mqtt://127.0.0.1:{broker.port}/plant/{{device}}/telemetry"\n'
    (folder / "brokers.toml").write_text(line)
    running = start(folder / "data", "--brokers", str(folder / "brokers.toml"))
    assert running.process.stderr is not None
    while "is read" not in (line := running.process.stderr.readline()):
        assert line, "it ended"
    return running


def until(condition: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def readings(begin: int, end: int) -> list[bytes]:
    """One reading each, at an instant of its own."""
    return [json.dumps({"ts": 1767225600000 + k * 1000, "pressure": k}).encode() for k in range(begin, end)]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_nothing_is_lost_when_the_server_is_killed_while_it_reads(
    mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = serving(tmp_path, mosquitto)
    for begin in (0, 400, 800):
        mosquitto.publish("plant/pump-1/telemetry", readings(begin, begin + 200))
        running.stop(signal.SIGKILL)
        mosquitto.publish("plant/pump-1/telemetry", readings(begin + 200, begin + 400))
        running = serving(tmp_path, mosquitto)
    until(lambda: instants(tmp_path / "data", capsys) == 1200)
    mosquitto.publish("plant/pump-2/telemetry", [b"nonsense", b'{"pressure": 1}'])
    mosquitto.publish(f"plant/{'x' * 300}/telemetry", [b'{"pressure": 1}', b'{"pressure": 2}'])
    until(lambda: len(read_quarantine(tmp_path / "data" / "quarantine").messages) == 3)
    code, said = running.stop()
    assert code == 0
    assert "Traceback" not in said
    assert {device for device, _ in kept(tmp_path / "data")} == {"pump-1", "pump-2"}


def instants(data: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """At how many instants there are readings of the first pump, in SQL."""
    question = "SELECT count(DISTINCT time) AS n FROM readings WHERE device = 'pump-1'"
    assert door.run(["query", "--data", str(data), "--json", question]) == 0
    return int(json.loads(capsys.readouterr().out)["n"])


def test_a_file_of_brokers_that_is_none_ends_it_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "brokers.toml").write_text('plant = "mqtt://10.0.0.1/{device}"')
    words = ("serve", "--data", str(tmp_path / "data"), "--brokers", str(tmp_path / "brokers.toml"))
    assert door.run([*words]) == 5
    assert "plain = true" in capsys.readouterr().err
