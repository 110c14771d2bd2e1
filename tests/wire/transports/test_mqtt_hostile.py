"""Whatever strangers send ends their own connection at most; nothing crashes, nothing leaks."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt.connection import Connection
from tests.wire.transports.mqtt_peer import (
    PINGREQ,
    PINGRESP,
    QUICK,
    House,
    Peer,
    connect,
    eventually,
    house,
    packet,
    publish,
    subscribe,
    text,
)

VERSIONS = pytest.mark.parametrize("version", [4, 5])


async def outcome(shelter: House, raw: bytes, version: int | None, close: bool = False) -> list[bytes]:
    """Send bytes, after an introduction if a version is given, and return what was said before the end."""
    peer = await shelter.peer()
    if version:
        await peer.hello("stranger", version)
    await peer.send(raw)
    if close:
        peer.writer.write_eof()
    said = await peer.gone()
    peer.close()
    return said


HOSTILE = [
    ("garbage", bytes(range(255, 0, -1)), 0x81),
    ("reserved type", b"\x00\x00", 0x82),
    ("second introduction", connect("again"), 0x82),
    ("server's packet", b"\x20\x03\x00\x00\x00", 0x82),
    ("quality of service 3", packet(0x36, text("a"), 1, b"\0", b"x"), 0x81),
    ("wildcard in topic", packet(0x30, text("a/#"), b"\0", b"x"), 0x81),
    ("topic that is not UTF-8", packet(0x30, text(b"\xff\xfe"), b"\0", b"x"), 0x81),
    ("topic with a null", packet(0x30, text(b"a\0b"), b"\0", b"x"), 0x81),
    ("topic longer than the packet", packet(0x30, b"\xff\xff", b"a"), 0x81),
    ("identifier of zero", packet(0x32, text("a"), 0, b"\0", b"x"), 0x82),
    ("property twice", packet(0x30, text("a"), b"\x04\x01\x00\x01\x00", b"x"), 0x82),
    ("unknown property", packet(0x30, text("a"), b"\x02\x7f\x00", b"x"), 0x81),
    ("properties longer than the packet", packet(0x30, text("a"), b"\x7f", b"x"), 0x81),
    ("huge length", b"\x30\xff\xff\xff\x7f", 0x95),
    ("length of five bytes", b"\x30\xff\xff\xff\xff\x01", 0x81),
    ("empty subscription", packet(0x82, 1, b"\0"), 0x82),
    ("acknowledgement with a strange reason", packet(0x40, 1, b"\x55"), 0x82),
    ("extended authentication", b"\xf0\x00", 0x82),
]


@pytest.mark.parametrize(("raw", "code"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_mqtt_5_is_told_why(raw: bytes, code: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            bystander = await shelter.client("bystander")
            assert await outcome(shelter, raw, 5) == [bytes((0xE0, 1, code))]
            assert await bystander.alive()
            assert shelter.listener.traffic().refused == 1
            assert shelter.messages == []

    asyncio.run(walk())


@pytest.mark.parametrize(
    "raw",
    [
        bytes(range(255, 0, -1)),
        connect("again", 4),
        packet(0x36, text("a"), 1, b"x"),
        packet(0x30, text("a/+"), b"x"),
        packet(0x30, text(b"\xc3\x28"), b"x"),
        packet(0x32, text("a"), 0, b"x"),
        b"\x30\xff\xff\xff\x7f",
        packet(0x82, 1),
        packet(0x60, 1),
        b"\xf0\x00",
    ],
)
def test_mqtt_3_1_1_is_cut_off(raw: bytes) -> None:
    async def walk() -> None:
        async with house() as shelter:
            assert await outcome(shelter, raw, 4) == []
            assert await (await shelter.client("bystander", 4)).alive()
            assert shelter.messages == []

    asyncio.run(walk())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (publish("a", b"x"), []),
        (b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", []),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), []),
        (packet(0x10, text("HTTP"), b"\5\2", 0, b"\0", text("a")), []),
        (packet(0x10, text("MQTT"), b"\4\3", 0, text("a")), []),
        (packet(0x10, text("MQTT"), b"\3\2", 0, text("a")), [b"\x20\x02\x00\x01"]),
        (packet(0x10, text("MQIsdp"), b"\3\2", 0, text("a")), [b"\x20\x02\x00\x01"]),
        (packet(0x10, text("MQTT"), b"\6\2", 0, b"\0", text("a")), [b"\x20\x03\x00\x84\x00"]),
        (packet(0x10, text("MQTT"), b"\5\3", 0, b"\0", text("a")), [b"\x20\x03\x00\x81\x00"]),
        (packet(0x10, text("MQTT"), b"\4\0", 0, text("")), [b"\x20\x02\x00\x02"]),
        (connect("x" * 300), [b"\x20\x03\x00\x85\x00"]),
        (
            packet(0x10, text("MQTT"), b"\5\2", 0, b"\x04\x15", text("k"), text("a")),
            [b"\x20\x03\x00\x8c\x00"],
        ),
    ],
)
def test_a_bad_introduction_ends_there(raw: bytes, said: list[bytes]) -> None:
    async def walk() -> None:
        async with house() as shelter:
            assert await outcome(shelter, raw, None) == said
            assert shelter.listener.traffic().refused == 1

    asyncio.run(walk())


@VERSIONS
def test_a_connection_that_breaks_off_anywhere_leaves_nothing(version: int) -> None:
    whole = connect("cut", version) + publish("a", b"payload", 1, 1, version)

    async def walk() -> None:
        async with house() as shelter:
            for size in range(len(whole) + 1):
                await outcome(shelter, whole[:size], None, close=True)
            await eventually(lambda: shelter.listener.traffic().open == 0)
            assert len(await shelter.until(1)) == 1

    asyncio.run(walk())


@VERSIONS
def test_single_bytes_make_whole_packets(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.peer()
            for byte in connect("slow", version) + publish("a/b", b"payload", 1, 9, version):
                await peer.send(bytes([byte]))
            assert (await peer.read())[:1] == b"\x20"
            assert await peer.read() == b"\x40\x02\x00\x09"

    asyncio.run(walk())


async def flooded(hearer: Peer, speaker: Peer, qos: int) -> None:
    await hearer.send(subscribe("a", qos))
    await hearer.read()
    hearer.reader._transport.pause_reading()  # type: ignore[attr-defined]
    for number in range(200):
        await speaker.send(publish("a", bytes(60_000), qos, number + 1))
    while not await speaker.alive():
        pass


def test_a_subscriber_that_does_not_read_loses_what_may_be_lost() -> None:
    async def walk() -> None:
        async with house(replace(QUICK, unread_bytes=200_000)) as shelter:
            hearer, speaker = await shelter.client("hearer"), await shelter.client("speaker")
            await flooded(hearer, speaker, 0)
            await shelter.until(200)
            assert shelter.listener.traffic().dropped > 0
            [slow] = [c for c in shelter.listener._exchange._connections if c.session.client_id == "hearer"]
            assert slow._transport.get_write_buffer_size() < 400_000
            assert await speaker.alive()

    asyncio.run(walk())


def test_a_subscriber_that_does_not_read_what_must_not_be_lost_is_let_go() -> None:
    async def walk() -> None:
        async with house(replace(QUICK, unread_bytes=200_000, queued_messages=20)) as shelter:
            hearer, speaker = await shelter.client("hearer"), await shelter.client("speaker")
            await flooded(hearer, speaker, 1)
            await eventually(lambda: shelter.listener.traffic().open == 1)
            assert await speaker.alive()

    asyncio.run(walk())


class Wire(asyncio.Transport):
    """A transport that only notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.closed, self.written = True, False, bytearray()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closed = True

    abort = close


def test_a_client_that_never_reads_its_answers_is_not_read_either() -> None:
    async def walk() -> None:
        async with house() as shelter:
            wire, connection = Wire(), Connection(shelter.listener._exchange)
            connection.connection_made(wire)
            connection.data_received(connect("deaf"))
            connection.pause_writing()
            assert not wire.reading
            wire.written.clear()
            connection.data_received(PINGREQ * 10)  # what was on its way already
            await asyncio.sleep(0.01)
            assert not wire.written
            connection.resume_writing()
            await asyncio.sleep(0.01)
            assert wire.reading
            assert wire.written == PINGRESP * 10
            connection.connection_lost(None)

    asyncio.run(walk())


def test_a_flood_of_packets_takes_turns_with_other_clients() -> None:
    async def walk() -> None:
        async with house() as shelter:
            wire, connection = Wire(), Connection(shelter.listener._exchange)
            connection.connection_made(wire)
            connection.data_received(connect("flood"))
            wire.written.clear()
            connection.data_received(PINGREQ * 20_000)
            assert len(wire.written) < 2_000
            assert not wire.reading
            bystander = await shelter.client("bystander")
            assert await bystander.alive()
            assert len(wire.written) < 40_000
            await eventually(lambda: len(wire.written) == 40_000)
            await eventually(lambda: wire.reading)
            connection.connection_lost(None)

    asyncio.run(walk())


def test_filters_retained_messages_and_names_are_bounded() -> None:
    async def walk() -> None:
        limits = replace(QUICK, filters_per_client=3, retained_messages=2)
        async with house(limits) as shelter:
            peer = await shelter.client()
            answers: list[int] = []
            for pattern in ("a", "b", "c", "d", "a", "x/#/y", "x+", "/" * 80, "y" * 2_000, "$share/g/t"):
                await peer.send(subscribe(pattern))
                answers.append((await peer.read())[-1])
            assert answers == [0, 0, 0, 0x97, 0, 0x8F, 0x8F, 0x8F, 0x8F, 0x97]
            await peer.send(*(publish(f"r/{i}", b"x", 1, i + 1, flags=1) for i in range(4)))
            assert [await peer.read() for _ in range(4)] == [packet(0x40, i + 1) for i in range(4)]
            assert len(shelter.listener._exchange.router._retained) == 2

    asyncio.run(walk())


def test_five_hundred_devices_at_once() -> None:
    async def device(shelter: House, number: int) -> None:
        peer = await shelter.client(f"device-{number}", 4 + number % 2)
        for turn in range(1, 4):
            await peer.send(publish(f"readings/device-{number}", b"%d" % turn, 1, turn, 4 + number % 2))
            assert await peer.read() == packet(0x40, turn)
        await peer.send(b"\xe0\x00")
        assert await peer.gone() == []
        peer.close()

    async def walk() -> None:
        async with house(QUICK) as shelter:
            await asyncio.gather(*(device(shelter, number) for number in range(500)))
            traffic = shelter.listener.traffic()
            assert (traffic.messages, traffic.connections, traffic.refused) == (1_500, 500, 0)
            assert len({message.client_id for message in shelter.messages}) == 500
            assert max(len(batch) for batch in shelter.batches) > 1

    asyncio.run(walk())


SEEDS = [
    connect("h"), connect("h", 4), publish("a", b"x", 1), publish("a", b"x", 2, version=4), subscribe("#"),
    subscribe("#", 2, version=4), packet(0x62, 1), packet(0x40, 1), packet(0x50, 1), b"\xc0\x00", b"\xe0\x00",
    packet(0xA2, 1, b"\0", text("#")),
]  # fmt: skip


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.sampled_from(SEEDS) | st.binary(max_size=30), min_size=1, max_size=8),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 2**32),
)
def test_noise_never_hurts_the_listener_nor_leaks_a_connection(talks: list[list[bytes]], seed: int) -> None:
    chance = random.Random(seed)

    async def talk(shelter: House, parts: list[bytes]) -> None:
        peer = await shelter.peer()
        for part in parts:
            spoilt = bytearray(part)
            if spoilt and chance.random() < 0.3:
                spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
            try:
                await peer.send(bytes(spoilt))
            except ConnectionError:
                break
        peer.writer.transport.abort()

    async def walk() -> None:
        async with house(replace(QUICK, tick_s=0.0005)) as shelter:
            await asyncio.gather(*(talk(shelter, parts) for parts in talks))
            await eventually(lambda: shelter.listener.traffic().open == 0)
            exchange = shelter.listener._exchange
            for session in list(exchange._sessions.values()):  # a spoilt bit may have asked for it
                assert session.connection is None
                assert session.remember_s
                exchange._roster.end(session)
            assert not exchange._sessions
            assert len(exchange.router._tree) == 0
            assert not exchange.router._tree._root.children
            peer = await shelter.client("after")
            await peer.send(publish("a", b"x", 1, 1))
            assert await peer.read() == packet(0x40, 1)

    asyncio.run(walk())


def test_a_deliver_that_raises_again_and_again_does_not_stop_the_listener() -> None:
    async def walk() -> None:
        async def deliver(batch: list[Message]) -> None:
            raise RuntimeError("no")

        async with house(deliver=deliver) as shelter:
            for number in range(20):
                peer = await shelter.client(f"c{number}")
                await peer.send(publish("a", b"x", 1, 1))
                assert await peer.gone() == [b"\xe0\x01\x83"]
            assert shelter.listener.traffic().failed == 20

    asyncio.run(walk())
