"""Erasure as its users meet it: out of a running server, out of its folder, and through any kill."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bimetal.cli import door, serving
from bimetal.cli.entrance import Door
from bimetal.cli.serving import Server, Wish
from bimetal.keep.archive import ERASURES, SESSIONS, Archive
from bimetal.keep.catalog import Catalog
from bimetal.keep.erasure import ErasureFolder
from bimetal.keep.session_file import SessionFile
from bimetal.tell.outbox import Outbox
from bimetal.trust.identify import anybody
from tests.keep.given import batch, texts_of
from tests.walks.test_away import PATIENCE_S, Ear, eventually
from tests.walks.test_serve import Running, kept, start

MARK = "patient-7f3a-marker"
VALUE = 271_828.1828
READING = f'{{"ts": 1767225600000, "pressure": {VALUE}, "note": "{MARK}"}}'.encode()
OTHER = b'{"ts": 1767225600000, "pressure": 3.25}'


def named_in(folder: Path) -> list[str]:
    """The files in whose raw bytes, or in what they decode to, the mark stands."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [path.name for path in files if any(MARK.encode() in text for text in texts_of(path))]


def said_by(running: Running) -> bytes:
    """All that the page says for programs."""
    answers: list[bytes] = []
    for path in ("plant", "devices", "events", "model", "headroom", f"devices/{MARK}/readings"):
        connection = http.client.HTTPConnection("127.0.0.1", running.http_port, timeout=20)
        connection.request("GET", f"/api/v1/{path}")
        answer = connection.getresponse()
        answers.append(answer.read() if answer.status == 200 else b"")
        connection.close()
    return b"\n".join(answers)


def client_of(running: Running, name: str, password: str = "") -> tuple[mqtt.Client, threading.Event]:
    """A client that asks to be remembered and leaves a will, and does not come back when it is cut off."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    client.will_set(f"readings/{name}", READING, 1, retain=True)
    if password:
        client.username_pw_set(name, password)
    asks = Properties(PacketTypes.CONNECT)
    asks.SessionExpiryInterval = 3_600
    client.connect("127.0.0.1", running.mqtt_port, clean_start=False, properties=asks)
    cut = threading.Event()
    client.on_disconnect = lambda *_: cut.set()
    client.loop_start()
    eventually(client.is_connected)
    return client, cut


def erase(data: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """Erase by the command; return the receipt."""
    assert door.run(["erase", MARK, "--data", str(data), "--yes", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_running_server_forgets_a_device_wherever_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = start(tmp_path / "data", "--lab")
    ear = Ear(running, mqtt.MQTTv5)
    ear.leave()
    patient, cut = client_of(running, MARK)
    patient.subscribe(f"commands/{MARK}/#", 1)
    for topic, body in ((MARK, READING), (MARK, b"{"), ("fan", OTHER), (f"{MARK}/cbor", b"\xff")):
        patient.publish(f"readings/{topic}", body, 1, retain=True).wait_for_publish(PATIENCE_S)
    patient.publish(f"commands/{MARK}/speed", b"7", 1, retain=True).wait_for_publish(PATIENCE_S)
    patient.publish("alarms/ward", f"{MARK} left".encode(), 1, retain=True).wait_for_publish(PATIENCE_S)
    assert running.post(MARK, READING)[0] == 200
    assert MARK.encode() in said_by(running)
    assert named_in(running.data)
    receipt = erase(running.data, capsys)
    assert cut.wait(PATIENCE_S)
    patient.loop_stop()
    try:
        assert named_in(running.data) == []
        assert MARK.encode() not in said_by(running)
        assert str(VALUE).encode() not in said_by(running)
        back = Ear(running, mqtt.MQTTv5)
        assert back.present == [True]
        eventually(lambda: bool(back.heard))
        stranger = mqtt.Client(CallbackAPIVersion.VERSION2, "stranger")
        left: list[str] = []
        stranger.on_message = lambda _, __, message: left.append(message.topic)
        stranger.connect("127.0.0.1", running.mqtt_port)
        stranger.loop_start()
        stranger.subscribe("#", 1)
        eventually(lambda: bool(left))
        time.sleep(0.2)
        assert back.heard == [OTHER]
        assert left == ["readings/fan"]
        back.leave()
        stranger.disconnect()
        stranger.loop_stop()
        assert running.post(MARK, OTHER)[0] == 200, "a laboratory believes everybody, also who was erased"
        assert erase(running.data, capsys)["found"]["readings"] == 1  # type: ignore[index]
    finally:
        running.stop(signal.SIGKILL)
    found = receipt["found"]
    assert isinstance(found, dict)
    assert (found["readings"], found["refused"], found["sessions"]) == (2, 4, 1)
    assert (found["waiting"], found["retained"]) == (3, 4)
    assert named_in(running.data) == []
    assert kept(running.data) == {("fan", "pressure"): 1}
    assert ErasureFolder(running.data / ERASURES).find(str(receipt["receipt"])).is_of(MARK)


def test_what_was_left_under_topics_goes_when_its_purpose_ends(tmp_path: Path) -> None:
    purposes = tmp_path / "purposes.toml"
    purposes.write_text('[a]\nground = "contract"\nkeep_days = 1e-5\nsignals = ["*"]\n')
    running = start(tmp_path / "data", "--lab")
    ear = Ear(running, mqtt.MQTTv5)
    ear.leave()
    fan, _ = client_of(running, "fan")
    for topic, body in (("readings/fan", OTHER), ("commands/fan/speed", b"7")):
        fan.publish(topic, body, 1, retain=True).wait_for_publish(PATIENCE_S)
    fan.disconnect()
    fan.loop_stop()
    running.stop()
    time.sleep(1)
    running = start(tmp_path / "data", "--lab", "--purposes", str(purposes))
    try:
        eventually(lambda: not kept_by(running))
        assert set(SessionFile(running.data / SESSIONS).load()) >= {("retained", "", "commands/fan/speed")}
        notes = SessionFile(running.data / SESSIONS).load()
        assert not [about for about, _ in notes.values() if about == "readings/fan"]
        assert Ear(running, mqtt.MQTTv5).present == [True]
    finally:
        running.stop(signal.SIGKILL)


def begun_in(data: Path) -> tuple[str, ...]:
    """The devices whose erasure was begun and is not done."""
    with Catalog.reading(data / "catalog.sqlite") as book:
        return book.erasing()


def kept_by(running: Running) -> list[object]:
    """What a running server keeps."""
    with Catalog.reading(running.data / "catalog.sqlite") as book:
        return list(book.held()[1])


def test_a_device_with_a_token_is_cut_off_and_stays_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    for name in (MARK, "fan"):
        assert door.run(["token", name, "--data", str(data), "--json"]) == 0
    token, other = (json.loads(line)["token"] for line in capsys.readouterr().out.splitlines())
    running = start(data)
    try:
        patient, cut = client_of(running, MARK, token)
        patient.publish(f"readings/{MARK}", OTHER, 1).wait_for_publish(PATIENCE_S)
        assert erase(data, capsys)["found"]["tokens"] == 1  # type: ignore[index]
        assert cut.wait(PATIENCE_S)
        patient.loop_stop()
        assert not running.publish(f"readings/{MARK}", OTHER, (MARK, token))
        assert running.post(MARK, OTHER, token)[0] == 401
        assert running.post("fan", OTHER, other)[0] == 200
    finally:
        running.stop()
    assert named_in(data) == []


def test_a_kill_only_delays_an_erasure(tmp_path: Path) -> None:
    data = tmp_path / "data"
    archive = Archive(data)
    for k in range(60):
        archive.segments.append(batch(200, start=200 * k, devices=(MARK, f"{MARK}-2", "fan")))
        archive.segments.seal()
    archive.close()
    erasures = ErasureFolder(data / ERASURES)
    running = start(data, "--lab")
    first = erasures.ask(MARK, secrets.token_bytes, time.time_ns())
    # Asked without a pause, for an erasure takes milliseconds.
    until_s = time.monotonic() + PATIENCE_S
    while MARK not in begun_in(data):
        assert time.monotonic() < until_s, "no erasure was begun"
    running.stop(signal.SIGKILL)
    assert named_in(data), "the kill came too late to say anything"
    second = erasures.ask(f"{MARK}-2", secrets.token_bytes, time.time_ns())
    start(data, "--lab").stop(signal.SIGKILL)
    assert named_in(data) == []
    assert [erasures.find(asked.id).interrupted for asked in (first, second)] == [True, False]
    assert {device for device, _ in kept(data)} == {"fan"}


def reached(root: object) -> Iterator[bytes]:
    """Yield every text that can be reached from an object, but for code and what it is given."""
    seen, front = {id(root)}, [root]
    while front:
        one = front.pop()
        if isinstance(one, str | bytes | bytearray):
            yield one.encode(errors="replace") if isinstance(one, str) else bytes(one)
        for other in gc.get_referents(one):
            if id(other) not in seen and not isinstance(other, type | ModuleType | CodeType | FunctionType):
                seen.add(id(other))
                front.append(other)


def test_nothing_that_a_server_holds_names_who_was_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "stop_on_signals", lambda stop: stops.append(stop))
    monkeypatch.setattr(serving, "remark", lambda words: said.append(words))
    stops, said, held = list[asyncio.Event](), list[str](), list[list[bytes]]()
    archive = Archive(tmp_path / "data")
    wish = Wish(tmp_path / "data", (), Door("127.0.0.1", 0, 0, None, None, lab=True), 0, as_json=False)
    server = Server(wish, archive, Outbox({}), anybody, None)

    def be_there() -> None:
        eventually(lambda: len(said) >= 2)
        port = int(said[0].partition("127.0.0.1:")[2].split()[0])
        running = Running(None, tmp_path / "data", port, 0)  # type: ignore[arg-type]
        ear = Ear(running, mqtt.MQTTv5)
        ear.leave()
        patient, _ = client_of(running, MARK)
        for body in (READING, b"{"):
            patient.publish(f"readings/{MARK}", body, 1, retain=True).wait_for_publish(PATIENCE_S)
        held.append([text for text in reached(server) if MARK.encode() in text])
        archive.erasures.ask(MARK, secrets.token_bytes, time.time_ns())
        eventually(lambda: not archive.erasures.asked())
        patient.loop_stop()
        eventually(lambda: "was erased" in said[-1])
        held.append([text for text in reached(server) if MARK.encode() in text])

    async def walk() -> None:
        serves = asyncio.create_task(server.run({}))
        try:
            await asyncio.to_thread(be_there)
        finally:
            for stop in stops:
                stop.set()
            await serves

    asyncio.run(walk())
    archive.close()
    assert len(held[0]) > 2


def test_without_a_server_the_command_erases_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = Archive(tmp_path)
    archive.segments.append(batch(200, devices=(MARK, "fan")))
    assert door.run(["erase", MARK, "--data", str(tmp_path), "--yes", "--seconds", "0.3"]) == 1
    assert "has not erased the device yet" in capsys.readouterr().err
    archive.close()
    assert door.run(["erase", MARK, "--data", str(tmp_path), "--yes"]) == 0
    said = capsys.readouterr().out
    assert "backed up before" in said
    assert named_in(tmp_path) == []
    assert len(ErasureFolder(tmp_path / ERASURES).all()) == 2
    assert door.run(["erase", MARK, "--data", str(tmp_path / "nothing"), "--yes"]) == 4
