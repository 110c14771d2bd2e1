"""The server as its users meet it: readings over MQTT and HTTP, tokens, and what survives a kill."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bimetal.bundle.seal import read
from bimetal.cli import door
from bimetal.cli.gauging import history_of
from bimetal.cli.serving import Server
from bimetal.keep.archive import Archive
from bimetal.nouns import Batch, Signal
from bimetal.nouns.errors import Unsupported
from bimetal.spine import scorer_of
from bimetal.targets.present import fastest
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.format import CONTENT_TYPES, Formats

READING = b'{"ts": 1767225600000, "pressure": 3.25, "flow": 48}'


@dataclass
class Running:
    """A server in a process of its own, and where it can be reached."""

    process: subprocess.Popen[str]
    data: Path
    mqtt_port: int
    http_port: int

    def post(
        self, device: str, body: bytes, token: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, object]]:
        """Post readings; return the status and the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("POST", f"/api/v1/devices/{device}/readings", body, shown | (headers or {}))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def publish(self, topic: str, body: bytes, login: tuple[str, str] | None = None) -> bool:
        """Publish at QoS 1; return whether it was acknowledged."""
        name = login[0] if login else "tester"
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        if login:
            client.username_pw_set(*login)
        client.connect("127.0.0.1", self.mqtt_port)
        client.loop_start()
        try:
            sent = client.publish(topic, body, qos=1)
            # Raised instead of an answer when the listener has cut the connection already.
            with contextlib.suppress(RuntimeError):
                sent.wait_for_publish(3)
                return sent.is_published()
            return False
        finally:
            client.disconnect()
            client.loop_stop()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it; return its exit code and what it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out + err


def start(data: Path, *arguments: str, file_bytes: int = 0) -> Running:
    """Start a server on free ports and wait until it answers; it may write no file beyond `file_bytes`."""

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    ports = ("--mqtt-port", "0", "--http-port", "0")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bimetal", "serve", "--data", str(data), *ports, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "BIMETAL_HOME": str(data.parent / "keys")},
        preexec_fn=limit if file_bytes else None,
    )
    assert process.stderr is not None
    words = process.stderr.readline()
    mqtt_port, http_port = (int(part.split()[0]) for part in words.split("127.0.0.1:")[1:])
    return Running(process, data, mqtt_port, http_port)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Running]:
    """A server that believes every device."""
    running = start(tmp_path / "data", "--lab")
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


def kept(data: Path) -> dict[tuple[str, str], int]:
    """How many readings of every series are kept."""
    archive = Archive(data)
    try:
        return {(h.device, h.signal): h.rows for h in archive.segments.held()}
    finally:
        archive.close()


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_acknowledged_is_there_after_any_end(lab: Running, number: signal.Signals) -> None:
    assert lab.publish("readings/pump-1", READING)
    assert lab.post("pump-2", READING) == (200, {"kept": 2})
    code, said = lab.stop(number)
    assert code == (0 if number is signal.SIGTERM else -9)
    assert "Traceback" not in said
    assert kept(lab.data) == {(f"pump-{k}", s): 1 for k in (1, 2) for s in ("pressure", "flow")}


@pytest.mark.parametrize(
    ("device", "body", "status"),
    [
        ("pump-1", b"", 400),
        ("pump-1", b"{", 400),
        ("pump-1", b'{"pressure": "high"}', 400),
        ("pump-1", b'{"ts": 1e300, "pressure": 1}', 400),
        ("pump-1", b"[" * 10_000, 400),
        ("a%2Fb", READING, 404),
        ("a%0ab", READING, 400),
        ("x" * 200, READING, 400),
        ("pump-1", b" " * (5 << 20), 413),
        ("pump-1", b"[" + b",".join([READING] * 1000) + b"]", 200),
    ],
)
def test_what_comes_by_http_is_kept_or_refused_in_words(
    lab: Running, device: str, body: bytes, status: int
) -> None:
    found, answer = lab.post(device, body)
    assert found == status
    if status != 200:
        refusal = answer["error"]
        assert isinstance(refusal, dict)
        assert refusal["sentence"].endswith(".")
    assert lab.post("other", READING)[0] == 200


def test_another_sites_page_cannot_send_readings(lab: Running) -> None:
    assert lab.post("pump-1", READING, headers={"Origin": "http://evil.example"})[0] == 403
    assert lab.post("pump-1", READING, headers={"Host": "evil.example"})[0] == 403


def test_a_server_looks_at_itself_and_keeps_what_it_saw(lab: Running) -> None:
    assert lab.publish("readings/pump-1", READING)
    connection = http.client.HTTPConnection("127.0.0.1", lab.http_port, timeout=20)
    connection.request("GET", "/api/v1/headroom")
    told = json.loads(connection.getresponse().read())["headroom"]
    assert told["words"] == "Nothing came in yet, so nothing can be said."
    lab.stop()
    assert sum(s.memory_bytes > 0 for s in history_of(lab.data).spells) >= 1


def test_without_tokens_nobody_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["serve", "--data", str(tmp_path / "data")]) == 5
    assert "--lab" in capsys.readouterr().err


def test_a_token_lets_its_device_in_by_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    assert door.run(["token", "pump-1", "--data", str(data), "--json"]) == 0
    token = json.loads(capsys.readouterr().out)["token"]
    running = start(data)
    try:
        assert running.post("pump-1", READING, token)[0] == 200
        assert running.post("pump-1", READING)[0] == 401
        assert running.post("pump-1", READING, "guess")[0] == 401
        assert running.post("pump-2", READING, token)[0] == 401
        assert running.publish("readings/pump-1", READING, ("pump-1", token))
        assert not running.publish("readings/pump-1", READING)
        assert not running.publish("readings/pump-2", READING, ("pump-1", token))
        assert door.run(["token", "pump-1", "--data", str(data), "--revoke"]) == 0
        assert running.post("pump-1", READING, token)[0] == 401
    finally:
        running.stop()
    assert set(kept(data)) == {("pump-1", "pressure"), ("pump-1", "flow")}


def test_a_model_of_a_stranger_does_not_watch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "stranger"))
    sample, model = str(tmp_path / "plant.csv"), str(tmp_path / "plant.bm")
    assert door.run(["sample", "-o", sample, "--seconds", "60", "--machines", "1"]) == 0
    assert door.run(["train", sample, "-o", model]) == 0
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "mine"))
    assert door.run(["serve", "--data", str(tmp_path / "data"), "--lab", "--model", model]) == 5
    assert "key" in capsys.readouterr().err


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[dict[str, float]]]:
    """A model of one machine, and rows of it: fair ones, then some whose temperature is none it has had."""
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "keys"))
    sample, model = str(tmp_path / "plant.csv"), str(tmp_path / "plant.bm")
    assert door.run(["sample", "-o", sample, "--seconds", "60", "--machines", "1"]) == 0
    assert door.run(["train", sample, "-o", model]) == 0
    head, *rows = Path(sample).read_text().splitlines()
    names = [cell.split(" ")[0] for cell in head.split(",")[2:-1]]
    last = dict(zip(names, map(float, rows[-1].split(",")[2:-1]), strict=True))
    begin_ms = 1_767_225_600_000
    fair = [
        {"ts": begin_ms + 100 * k, **dict(zip(names, map(float, row.split(",")[2:-1]), strict=True))}
        for k, row in enumerate(rows[:250])
    ]
    foul = [{"ts": begin_ms + 25_000 + 100 * k, **last, "temperature": 95.0 + k % 7} for k in range(60)]
    return model, fair + foul


def test_a_model_watches_and_its_alarms_are_said(
    tmp_path: Path, plant: tuple[str, list[dict[str, float]]]
) -> None:
    model, rows = plant
    running = start(tmp_path / "data", "--lab", "--model", model)
    try:
        assert running.post("pump-01", json.dumps(rows).encode())[0] == 200
    finally:
        _, said = running.stop()
    assert "pump-01: " in said
    assert "temperature" in said


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_server_that_is_killed_says_what_its_model_says_of_it_all(
    tmp_path: Path, plant: tuple[str, list[dict[str, float]]]
) -> None:
    model, rows = plant
    data = tmp_path / "data"
    running = start(data, "--lab", "--model", model)
    for k in range(0, len(rows), 10):
        body = json.dumps(rows[k : k + 10]).encode()
        if k in (60, 250, 260, 300):  # killed while this is on its way: it is sent again
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", running.http_port, timeout=20)
                connection.request("POST", "/api/v1/devices/pump-01/readings", body)
                if k == 260:
                    connection.getresponse()
            running.stop(signal.SIGKILL)
            running = start(data, "--lab", "--model", model)
        assert running.post("pump-01", body)[0] == 200
    running.stop(signal.SIGKILL)
    running = start(data, "--lab", "--model", model)
    assert running.stop()[0] == 0
    archive = Archive(data)
    try:
        told = archive.events.read()
        kept = archive.segments.batch(signals=[name for name in rows[0] if name != "ts"])
    finally:
        archive.close()
    _, expected = scorer_of(read(Path(model)).bundle, fastest()).advance({}, kept)
    assert len(kept) == len(rows)
    assert told.events == tuple(sorted(expected.events, key=lambda e: e.time_ns))
    assert told.events
    assert len({e.id for e in told.events}) == len(told.events)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_readings_come_in_every_format_over_both_ways(tmp_path: Path) -> None:
    shape = tmp_path / "map.toml"
    shape.write_text('rows = "data"\ntime = "at"\ntime_unit = "s"\n[signals]\npressure = "p"\n')
    formats, rows = (
        Formats(JsonCodec()),
        Batch(
            ("x",),
            (Signal("pressure"),),
            np.array([1_767_225_600_000_000_000, 1_767_225_601_000_000_000]),
            np.zeros(2, np.int32),
            np.array([[1.5], [2.5]]),
        ),
    )
    running = start(tmp_path / "data", "--lab", "--map", str(shape))
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="tester", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", running.mqtt_port)
    client.loop_start()
    sent: list[mqtt.MQTTMessageInfo] = []
    for kind, name in CONTENT_TYPES.items():
        for payload in formats.codec(name).encode(rows):
            device = kind.replace("/", "-").replace("+", "-")
            answer = running.post(f"{device}-http", payload, headers={"Content-Type": kind})
            assert answer[0] == 200, answer
            said = Properties(PacketTypes.PUBLISH)
            said.ContentType = kind
            sent.append(client.publish(f"readings/{device}-mqtt", payload, 1, properties=said))
            sent.append(client.publish(f"readings/{device}-topic/{name}", payload, 1))
    sent.append(
        client.publish(
            "readings/shaped", b'{"data": [{"at": 1767225600, "p": 1}, {"at": 1767225601, "p": 2}]}', 1
        )
    )
    sent.append(client.publish("readings/shaped/parquet", b"PAR1 and nothing else", 1))
    for one in sent:
        one.wait_for_publish(20)
        assert one.is_published()
    client.disconnect()
    client.loop_stop()
    code, words = running.stop()
    assert code == 0
    assert "was set aside: it cannot be read" in words
    found = kept(running.data)
    assert set(found.values()) == {2}
    assert len(found) == 3 * len(CONTENT_TYPES) + 1


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
def test_a_full_disk_ends_no_server_and_nothing_acknowledged_is_lost(
    tmp_path: Path, plant: tuple[str, list[dict[str, float]]]
) -> None:
    model, rows = plant
    running = start(tmp_path / "data", "--lab", "--model", model, file_bytes=150_000)
    acknowledged = 0
    for k in range(400):
        said = [{**row, "ts": row["ts"] + 26_000 * k} for row in rows[:250]]
        status, _ = running.post("pump-01", json.dumps(said).encode())
        if status != 200:
            break
        acknowledged += 1
    else:
        pytest.fail("the disk never was full")
    assert running.process.poll() is None
    assert running.post("pump-01", b"{")[0] == 400
    _, words = running.stop()
    assert "Traceback" not in words
    assert kept(tmp_path / "data")["pump-01", "pressure"] >= 250 * acknowledged


def test_time_that_cannot_pass_is_said_and_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    class Full:
        """A walk whose disk is full."""

        def settle(self, now_ns: int) -> None:
            """Have no room for what falls due."""
            raise Unsupported("the disk has no room left", where="plant-data", hint="Free some space")

    server = Server.__new__(Server)
    server._walk = Full()  # type: ignore[assignment]
    asyncio.run(server._settle())
    assert capsys.readouterr().err == "plant-data: the disk has no room left. Free some space.\n"
