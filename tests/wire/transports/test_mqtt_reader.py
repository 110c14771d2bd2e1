"""What a real broker has is read once it is kept, whoever of the two is away, fails or is killed."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput, Broken
from bimetal.trust.authority import Authority
from bimetal.wire.broker import Broker, read_brokers
from bimetal.wire.transport import Message
from bimetal.wire.transports import mqtt_reader
from bimetal.wire.transports.mqtt_reader import MqttReader
from tests.wire.transports.mosquitto import Mosquitto
from tests.wire.transports.mqtt_peer import eventually

pytestmark = pytest.mark.needs("mosquitto")

TOPIC = "plant/pump-1/telemetry"


@dataclass
class Room:
    """Keeps what a reader hands over, unless it is told to fail."""

    messages: list[Message] = field(default_factory=list[Message])
    failing: bool = False
    said: list[str] = field(default_factory=list[str])

    async def deliver(self, batch: list[Message]) -> None:
        if self.failing:
            raise BadInput("the disk is full")
        self.messages += batch

    def payloads(self) -> list[bytes]:
        return [m.payload for m in self.messages]

    @contextlib.asynccontextmanager
    async def reading(self, broker: Broker) -> AsyncIterator[MqttReader]:
        reader = MqttReader(
            broker, self.deliver, now_ns=time.time_ns, client_id="reader", say=self.said.append
        )
        await reader.start()
        try:
            yield reader
        finally:
            await reader.close()
            await reader.finished()


def broker_of(folder: Path, url: str, *more: str) -> Broker:
    path = folder / "brokers.toml"
    path.write_text("\n".join(("[plant]", f'url = "{url}"', *more)))
    return read_brokers(path)[0]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "mosquitto").start()
    yield broker
    broker.stop()


def numbers(begin: int, end: int) -> list[bytes]:
    return [b"%d" % k for k in range(begin, end)]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_came_while_nobody_read_is_read_later(
    mosquitto: Mosquitto, tmp_path: Path, version: str
) -> None:
    broker = broker_of(
        tmp_path, f"mqtt://127.0.0.1:{mosquitto.port}/plant/{{device}}/telemetry", f'version = "{version}"'
    )
    room = Room()
    mosquitto.publish("plant/old/telemetry", [b"left long ago"], retain=True)

    async def walk() -> None:
        async with room.reading(broker) as reader:
            await eventually(lambda: any("is read" in words for words in room.said))
            await asyncio.to_thread(mosquitto.publish, TOPIC, numbers(0, 300))
            await eventually(lambda: len(room.messages) == 300)
            assert reader.traffic().open == 1
        await asyncio.to_thread(mosquitto.publish, TOPIC, numbers(300, 600))
        assert len(room.messages) == 300
        async with room.reading(broker):
            await eventually(lambda: len(room.messages) == 600)

    asyncio.run(walk())
    assert room.payloads() == numbers(0, 600)
    assert {(m.topic, m.client_id, m.qos) for m in room.messages} == {("readings/pump-1", "plant", 1)}


def test_what_cannot_be_kept_is_tried_again_and_not_acknowledged(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_reader, "AGAIN_S", 0.05)
    monkeypatch.setattr(mqtt_reader, "CLOSE_GRACE_S", 0.2)
    broker = broker_of(tmp_path, f"mqtt://127.0.0.1:{mosquitto.port}/plant/{{device}}/#")
    room = Room(failing=True)

    async def walk() -> None:
        async with room.reading(broker) as reader:
            await eventually(lambda: any("is read" in words for words in room.said))
            await asyncio.to_thread(mosquitto.publish, TOPIC, numbers(0, 50))
            await eventually(lambda: reader.traffic().failed > 0)
        assert not room.messages  # it left, and the broker has them all
        room.failing = False
        async with room.reading(broker):
            await eventually(lambda: len(room.messages) == 50)

    asyncio.run(walk())
    assert room.payloads() == numbers(0, 50)
    assert any("the disk is full" in words for words in room.said)


def test_a_broker_that_is_gone_is_waited_for(mosquitto: Mosquitto, tmp_path: Path) -> None:
    broker = broker_of(tmp_path, f"mqtt://127.0.0.1:{mosquitto.port}/plant/{{device}}/telemetry")
    room = Room()

    async def walk() -> None:
        async with room.reading(broker) as reader:
            await eventually(lambda: any("is read" in words for words in room.said))
            await asyncio.to_thread(mosquitto.publish, TOPIC, numbers(0, 20))
            await eventually(lambda: len(room.messages) == 20)
            await asyncio.to_thread(mosquitto.stop)
            await eventually(lambda: any("connection is gone" in words for words in room.said), 15)
            assert reader.traffic().open == 0
            await asyncio.to_thread(mosquitto.start)
            await asyncio.to_thread(mosquitto.publish, TOPIC, numbers(20, 40))
            await eventually(lambda: set(room.payloads()) == set(numbers(0, 40)), 30)
            assert reader.traffic().connections == 2

    asyncio.run(walk())


def test_memory_stays_bounded_while_nothing_is_kept(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_reader, "MOST_WAITING", 100)
    broker = broker_of(tmp_path, f"mqtt://127.0.0.1:{mosquitto.port}/plant/{{device}}/telemetry")
    kept: list[Message] = []
    gate = asyncio.Event()
    biggest = 0

    async def deliver(batch: list[Message]) -> None:
        nonlocal biggest
        biggest = max(biggest, len(batch))
        await gate.wait()
        kept.extend(batch)

    async def walk() -> None:
        said: list[str] = []
        reader = MqttReader(broker, deliver, now_ns=time.time_ns, client_id="slow", say=said.append)
        await reader.start()
        await eventually(lambda: any("is read" in words for words in said))
        for qos in (0, 1):
            await asyncio.to_thread(mosquitto.publish, TOPIC, numbers(0, 1_000), qos=qos)
        await asyncio.sleep(0.5)
        gate.set()
        # With QoS 0 Mosquitto may drop what a slow reader leaves; with QoS 1 it may not.
        await eventually(lambda: sum(m.qos for m in kept) == 1_000)
        await reader.close()

    asyncio.run(walk())
    assert biggest <= 100


@dataclass(frozen=True)
class Secured:
    """A broker that wants a password, and a certificate of its authority, from whoever comes."""

    broker: Mosquitto
    folder: Path

    def reached(self, user: str = "reader:sesame", *more: str) -> Broker:
        """How a reader would reach it, knowing its authority and showing a certificate of it."""
        own = ('ca = "ca.pem"', 'cert = "reader.pem"', 'key = "reader.key"')
        url = f"mqtts://{user}@127.0.0.1:{self.broker.port}/plant/{{device}}/telemetry"
        return broker_of(self.folder, url, *(more or own))


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Secured]:
    for name in ("", "other-"):
        authority = Authority(tmp_path / f"{name}authority", time.time_ns())
        (tmp_path / f"{name}ca.pem").write_bytes(authority.public)
        issued = authority.certify_server("127.0.0.1", 1), authority.certify_device("reader", 1)
        for part, one in zip(("server", "reader"), issued, strict=True):
            (tmp_path / f"{name}{part}.pem").write_bytes(one.cert)
            (tmp_path / f"{name}{part}.key").write_bytes(one.key)
    words = (
        f"cafile {tmp_path}/ca.pem",
        f"certfile {tmp_path}/server.pem",
        f"keyfile {tmp_path}/server.key",
        "require_certificate true",
        "allow_anonymous false",
        f"password_file {tmp_path}/passwords",
        f"acl_file {tmp_path}/acl",
    )
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", str(tmp_path / "passwords"), "reader", "sesame"], check=True
    )
    (tmp_path / "acl").write_text("user reader\ntopic readwrite plant/#\n")
    broker = Mosquitto(tmp_path / "mosquitto", words).start()
    yield Secured(broker, tmp_path)
    broker.stop()


@pytest.mark.needs("mosquitto_passwd", "mosquitto_pub")
def test_a_secured_broker_lets_in_who_shows_what_it_wants(secured: Secured) -> None:
    room = Room()
    folder = secured.folder
    files = (
        "--cafile",
        f"{folder}/ca.pem",
        "--cert",
        f"{folder}/reader.pem",
        "--key",
        f"{folder}/reader.key",
    )
    place = ("-h", "127.0.0.1", "-p", str(secured.broker.port), "-u", "reader", "-P", "sesame")

    async def walk() -> None:
        async with room.reading(secured.reached()):
            await eventually(lambda: any("is read" in words for words in room.said))
            publish = ["mosquitto_pub", *place, *files, "-q", "1", "-t", TOPIC, "-m", "42"]
            await asyncio.to_thread(subprocess.run, publish, check=True)
            await eventually(lambda: room.payloads() == [b"42"])

    asyncio.run(walk())


@pytest.mark.needs("mosquitto_passwd")
@pytest.mark.parametrize(
    ("user", "more", "words"),
    [
        ("reader:guess", (), "Not authorized"),
        ("stranger:sesame", (), "Not authorized"),
        (
            "reader:sesame",
            ('ca = "other-ca.pem"', 'cert = "reader.pem"', 'key = "reader.key"'),
            "not trusted",
        ),
        ("reader:sesame", ('cert = "reader.pem"', 'key = "reader.key"'), "not trusted"),
    ],
)
def test_who_is_not_let_in_is_told_why(
    secured: Secured, user: str, more: tuple[str, ...], words: str
) -> None:
    room = Room()

    async def walk() -> None:
        async with room.reading(secured.reached(user, *more)) as reader:
            await eventually(lambda: any(words in said for said in room.said))
            assert not reader.traffic().open

    asyncio.run(walk())


@pytest.mark.needs("mosquitto_passwd")
def test_a_certificate_of_another_authority_is_no_way_in(secured: Secured) -> None:
    room = Room()
    wrong = ('ca = "ca.pem"', 'cert = "other-reader.pem"', 'key = "other-reader.key"')

    async def walk() -> None:
        async with room.reading(secured.reached("reader:sesame", *wrong)) as reader:
            await eventually(lambda: bool(room.said))
            assert not reader.traffic().open

    asyncio.run(walk())
    assert not any("is read" in words for words in room.said)


def test_nobody_there_is_said_once_and_closing_takes_no_time(tmp_path: Path) -> None:
    broker = broker_of(tmp_path, "mqtt://127.0.0.1:1/{device}")
    room = Room()

    async def walk() -> None:
        async with room.reading(broker) as reader:
            await eventually(lambda: bool(room.said))
            await asyncio.sleep(1.5)
            with pytest.raises(Broken):
                await reader.start()

    asyncio.run(walk())
    assert len(room.said) == 1
    assert "refused" in room.said[0]


def test_files_that_are_none_are_named_before_anything_begins(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    broker = broker_of(tmp_path, "mqtts://127.0.0.1:1/{device}", 'ca = "ca.pem"')
    with pytest.raises(BadInput, match=r"ca\.pem"):
        MqttReader(broker, Room().deliver, now_ns=time.time_ns, client_id="reader", say=print)
