"""Ordinary clients and our listener understand each other, over both versions and real sockets."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.wire.transports.mqtt_peer import House, eventually, house

VERSIONS = pytest.mark.parametrize("protocol", [paho.MQTTv311, paho.MQTTv5], ids=["3.1.1", "5"])


class Ordinary:
    """A paho client with a thread of its own, as people use it."""

    def __init__(self, shelter: House, name: str, protocol: int, will: str | None = None) -> None:
        self.heard: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.codes: queue.Queue[Any] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=protocol)  # type: ignore[arg-type]
        self.client.on_message = lambda _c, _u, message: self.heard.put(message)
        self.client.on_connect = lambda _c, _u, _f, code, _p: self.codes.put(code)
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self.codes.put(codes)
        if will:
            self.client.will_set(will, "gone", qos=1)
        self.client.connect("127.0.0.1", shelter.listener.port, keepalive=10)
        self.client.loop_start()
        assert not self.codes.get(timeout=5).is_failure

    def subscribe(self, pattern: str, qos: int) -> None:
        self.client.subscribe(pattern, qos)
        assert [code.value for code in self.codes.get(timeout=5)] == [qos]

    def publish(self, topic: str, payload: str, qos: int, **more: Any) -> None:
        self.client.publish(topic, payload, qos, **more).wait_for_publish(5)

    def hear(self, count: int) -> list[paho.MQTTMessage]:
        return [self.heard.get(timeout=5) for _ in range(count)]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def ordinary(shelter: House, name: str, protocol: int, **more: Any) -> Iterator[Ordinary]:
    client = Ordinary(shelter, name, protocol, **more)
    try:
        yield client
    finally:
        client.close()


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_paho_publishes_and_hears(protocol: int, qos: int) -> None:
    def talk(shelter: House) -> list[tuple[str, bytes, int]]:
        with (
            ordinary(shelter, "hearer", protocol) as hearer,
            ordinary(shelter, "speaker", protocol) as speaker,
        ):
            hearer.subscribe("readings/+", qos)
            for number in range(20):
                speaker.publish("readings/pump", f"{number}", qos)
            speaker.publish("elsewhere", "no", qos)
            return [(m.topic, m.payload, m.qos) for m in hearer.hear(20)]

    async def walk() -> None:
        async with house() as shelter:
            heard = await asyncio.to_thread(talk, shelter)
            assert heard == [("readings/pump", b"%d" % i, qos) for i in range(20)]
            await shelter.until(21)
            assert [m.payload for m in shelter.messages] == [*(b"%d" % i for i in range(20)), b"no"]
            assert {m.client_id for m in shelter.messages} == {"speaker"}

    asyncio.run(walk())


@VERSIONS
def test_paho_finds_retained_messages_and_wills(protocol: int) -> None:
    def talk(shelter: House) -> list[tuple[str, bytes, bool]]:
        with ordinary(shelter, "dying", protocol, will="last/words") as dying:
            dying.publish("state/dying", "up", 1, retain=True)
            with ordinary(shelter, "hearer", protocol) as hearer:
                hearer.subscribe("#", 1)
                found = hearer.hear(1)
                dying.client._sock_close()  # type: ignore[attr-defined]  # the cable is cut
                found += hearer.hear(1)
                return [(m.topic, m.payload, m.retain) for m in found]

    async def walk() -> None:
        async with house() as shelter:
            heard = await asyncio.to_thread(talk, shelter)
            assert heard == [("state/dying", b"up", True), ("last/words", b"gone", False)]

    asyncio.run(walk())


def test_paho_properties_travel_unaltered() -> None:
    def talk(shelter: House) -> paho.MQTTMessage:
        sent = Properties(PacketTypes.PUBLISH)
        sent.ContentType, sent.ResponseTopic, sent.CorrelationData = "application/json", "answers", b"7"
        sent.UserProperty, sent.MessageExpiryInterval = [("unit", "Cel"), ("unit", "bar")], 60
        asked = Properties(PacketTypes.SUBSCRIBE)
        asked.SubscriptionIdentifier = 44
        with (
            ordinary(shelter, "hearer", paho.MQTTv5) as hearer,
            ordinary(shelter, "speaker", paho.MQTTv5) as speaker,
        ):
            hearer.client.subscribe("a", properties=asked)
            hearer.codes.get(timeout=5)
            speaker.publish("a", "x", 1, properties=sent)
            return hearer.hear(1)[0]

    async def walk() -> None:
        async with house() as shelter:
            properties = (await asyncio.to_thread(talk, shelter)).properties
            assert properties is not None
            assert (properties.ContentType, properties.ResponseTopic) == ("application/json", "answers")
            assert (properties.CorrelationData, properties.MessageExpiryInterval) == (b"7", 60)
            assert properties.UserProperty == [("unit", "Cel"), ("unit", "bar")]
            assert properties.SubscriptionIdentifier == [44]

    asyncio.run(walk())


def said(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


@pytest.mark.needs("mosquitto_pub", "mosquitto_sub")
@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_mosquitto_publishes_and_hears(version: str, qos: str) -> None:
    async def walk() -> None:
        async with house() as shelter:
            place = ("-h", "127.0.0.1", "-p", str(shelter.listener.port), "-V", version, "-q", qos)
            words = ("mosquitto_sub", *place, "-t", "plant/#", "-C", "2", "-F", "%t %q %p")
            hearing = asyncio.create_task(asyncio.to_thread(said, *words))
            await eventually(lambda: len(shelter.listener._exchange.router._tree) == 1)
            for payload in ("12.5", "zürich ✓"):
                await asyncio.to_thread(said, "mosquitto_pub", *place, "-t", "plant/a", "-m", payload)
            assert (await hearing).splitlines() == [f"plant/a {qos} 12.5", f"plant/a {qos} zürich ✓"]
            await shelter.until(2)
            assert [m.payload.decode() for m in shelter.messages] == ["12.5", "zürich ✓"]

    asyncio.run(walk())


@pytest.mark.needs("mosquitto_pub")
def test_mosquitto_sends_a_thousand_lines() -> None:
    async def walk() -> None:
        async with house() as shelter:
            words = (
                "mosquitto_pub",
                "-h",
                "127.0.0.1",
                "-p",
                str(shelter.listener.port),
                "-q",
                "1",
                "-t",
                "a",
                "-l",
            )
            lines = "\n".join(map(str, range(1_000)))
            await asyncio.to_thread(subprocess.run, words, input=lines, text=True, timeout=30, check=True)
            await shelter.until(1_000)
            assert [int(m.payload) for m in shelter.messages] == list(range(1_000))

    asyncio.run(walk())


def test_the_same_on_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not for this system")

    def talk(shelter: House) -> list[bytes]:
        with (
            ordinary(shelter, "hearer", paho.MQTTv5) as hearer,
            ordinary(shelter, "speaker", paho.MQTTv311) as speaker,
        ):
            hearer.subscribe("a", 2)
            speaker.publish("a", "x", 2)
            return [m.payload for m in hearer.hear(1)]

    async def walk() -> None:
        async with house() as shelter:
            assert await asyncio.to_thread(talk, shelter) == [b"x"]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(walk())


def test_time_stamps_come_from_the_clock_that_was_given() -> None:
    async def walk() -> None:
        async with house() as shelter:
            shelter.listener._exchange.now_ns = lambda: 42
            peer = await shelter.client()
            await peer.send(b"\x30\x05\x00\x01a\x00x")
            assert [m.received_ns for m in await shelter.until(1)] == [42]
            assert time.time_ns() != 42

    asyncio.run(walk())
