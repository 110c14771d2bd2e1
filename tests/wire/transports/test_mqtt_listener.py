"""What the listener promises: acknowledged means kept, one batch at a time, every message heard."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import replace

import pytest

from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt import Limits
from bimetal.wire.transports.mqtt.connection import Connection
from tests.wire.transports.mqtt_peer import (
    DISCONNECT,
    QUICK,
    VERSIONS,
    Peer,
    connect,
    end_of,
    eventually,
    house,
    packet,
    publish,
    subscribe,
    text,
)


@VERSIONS
@pytest.mark.parametrize(("qos", "first"), [(1, 0x40), (2, 0x50)])
def test_an_acknowledgement_waits_until_the_message_is_kept(version: int, qos: int, first: int) -> None:
    async def walk() -> None:
        arrived, kept = asyncio.Event(), asyncio.Event()

        async def deliver(batch: list[Message]) -> None:
            arrived.set()
            await kept.wait()

        async with house(deliver=deliver) as shelter:
            peer = await shelter.client(version=version)
            await peer.send(publish("a", b"x", qos, 7, version))
            await arrived.wait()
            peer.wait_s = 0.1
            with pytest.raises(TimeoutError):
                await peer.read()
            assert shelter.listener.traffic().messages == 0
            kept.set()
            assert await peer.read() == bytes((first, 2, 0, 7))
            assert shelter.listener.traffic().messages == 1

    asyncio.run(walk())


@VERSIONS
def test_what_is_not_kept_is_not_acknowledged(version: int) -> None:
    async def walk() -> None:
        spoilt = True

        async def deliver(batch: list[Message]) -> None:
            if spoilt:
                raise OSError("disk full")

        async with house(deliver=deliver) as shelter:
            peer, other = await shelter.client("one", version), await shelter.client("two", version)
            await peer.send(publish("a", b"x", 1, 7, version), publish("a", b"y", 2, 8, version))
            assert await peer.gone() == end_of(version, 0x83)
            assert await other.alive()
            traffic = shelter.listener.traffic()
            assert (traffic.messages, traffic.failed) == (0, 2)
            assert isinstance(shelter.listener.failure, OSError)
            spoilt = False
            again = await shelter.client("one", version)
            await again.send(publish("a", b"x", 1, 7, version, flags=8))
            assert await again.read() == b"\x40\x02\x00\x07"

    asyncio.run(walk())


@VERSIONS
def test_messages_come_in_order_with_everything_said_about_them(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.client("pump-01", version)
            before = time.time_ns()
            await peer.send(*(publish("a/b", b"%d" % i, i % 3, i + 1, version) for i in range(300)))
            found = await shelter.until(300)
            assert [int(message.payload) for message in found] == list(range(300))
            assert [message.qos for message in found] == [i % 3 for i in range(300)]
            assert {(message.topic, message.client_id) for message in found} == {("a/b", "pump-01")}
            assert all(before <= message.received_ns <= time.time_ns() for message in found)
            traffic = shelter.listener.traffic()
            assert (traffic.messages, traffic.open, traffic.connections) == (300, 1, 1)
            assert traffic.bytes == sum(len(b"%d" % i) for i in range(300))

    asyncio.run(walk())


def test_a_batch_is_what_came_within_a_tick_or_the_most() -> None:
    async def walk() -> None:
        async with house(replace(QUICK, tick_s=0.05, batch_messages=100)) as shelter:
            peer = await shelter.client()
            await peer.send(*(publish("a", b"x") for _ in range(250)))
            await shelter.until(250)
            assert [len(batch) for batch in shelter.batches] == [100, 100, 50]
            await peer.send(publish("a", b"x"))
            await asyncio.sleep(0.01)
            await peer.send(publish("a", b"x"))
            await shelter.until(252)
            assert len(shelter.batches[-1]) == 2

    asyncio.run(walk())


def test_what_comes_after_a_pause_is_delivered_at_once_and_the_next_a_tick_later() -> None:
    async def walk() -> None:
        async with house(replace(QUICK, tick_s=1.5)) as shelter:
            peer = await shelter.client()
            began_s = time.monotonic()
            await peer.send(publish("a", b"first"))
            await shelter.until(1)
            assert time.monotonic() - began_s < 1.0
            for payload in (b"second", b"third"):
                await peer.send(publish("a", payload))
            await shelter.until(3)
            assert time.monotonic() - began_s >= 1.4
            assert [len(batch) for batch in shelter.batches] == [1, 2]

    asyncio.run(walk())


def test_one_batch_is_delivered_at_a_time() -> None:
    async def walk() -> None:
        inside = most = 0

        async def deliver(batch: list[Message]) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.003)
            inside -= 1

        async with house(deliver=deliver) as shelter:
            peers = [await shelter.client(f"c{i}") for i in range(5)]
            for number in range(1, 8):
                await asyncio.gather(*(peer.send(publish("a", b"x", 1, number)) for peer in peers))
                await asyncio.sleep(0.002)
            for peer in peers:
                assert [await peer.read() for _ in range(7)] == [bytes((0x40, 2, 0, n)) for n in range(1, 8)]
        assert most == 1

    asyncio.run(walk())


@VERSIONS
def test_exactly_once_survives_repeats(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.client(version=version)
            for flags in (0, 8, 8):
                await peer.send(publish("a", b"x", 2, 7, version, flags))
                assert await peer.read() == b"\x50\x02\x00\x07"
            await peer.send(packet(0x62, 7))
            assert await peer.read() == b"\x70\x02\x00\x07"
            assert len(shelter.messages) == 1
            await peer.send(publish("a", b"next", 2, 7, version))
            assert await peer.read() == b"\x50\x02\x00\x07"
            assert len(shelter.messages) == 2

    asyncio.run(walk())


@VERSIONS
def test_subscribers_hear_what_matches(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            hearer, speaker = (
                await shelter.client("hearer", version),
                await shelter.client("speaker", version),
            )
            await hearer.send(subscribe("plant/+/heat", 1, 3, version))
            granted = packet(0x90, 3, b"\0" if version == 5 else b"", b"\1")
            assert await hearer.read() == granted
            await speaker.send(publish("plant/a/cold", b"no", 1, 1, version))
            await speaker.send(publish("plant/a/heat", b"yes", 2, 2, version))
            await speaker.send(publish("plant/a/heat", b"also", 0, 2, version))
            heard = [await hearer.read(), await hearer.read()]
            assert publish("plant/a/heat", b"yes", 1, 1, version) in heard
            assert publish("plant/a/heat", b"also", 0, 2, version) in heard
            await hearer.send(packet(0x40, 1))
            await hearer.send(packet(0xA2, 4, b"\0" if version == 5 else b"", text("plant/+/heat")))
            assert (await hearer.read())[:1] == b"\xb0"
            await speaker.send(publish("plant/a/heat", b"no more", 0, 2, version))
            await shelter.until(4)
            assert await hearer.alive()

    asyncio.run(walk())


def test_a_subscriber_hears_only_what_was_kept() -> None:
    async def walk() -> None:
        kept = asyncio.Event()

        async def deliver(batch: list[Message]) -> None:
            await kept.wait()

        async with house(deliver=deliver) as shelter:
            peer = await shelter.client()
            await peer.send(subscribe("a"), publish("a", b"x"))
            await peer.read()
            peer.wait_s = 0.05
            with pytest.raises(TimeoutError):
                await peer.read()
            kept.set()
            peer.wait_s = 5
            assert await peer.read() == publish("a", b"x")

    asyncio.run(walk())


@VERSIONS
def test_retained_messages_wait_for_subscribers(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            speaker = await shelter.client("speaker", version)
            await speaker.send(
                publish("a/b", b"old", 0, 0, version, 1), publish("a/b", b"new", 0, 0, version, 1)
            )
            await speaker.send(
                publish("a/c", b"gone", 0, 0, version, 1), publish("a/c", b"", 0, 0, version, 1)
            )
            await shelter.until(4)
            hearer = await shelter.client("hearer", version)
            await hearer.send(subscribe("a/#", 0, 1, version))
            assert (await hearer.read())[:1] == b"\x90"
            assert await hearer.read() == publish("a/b", b"new", 0, 0, version, 1)
            assert await hearer.alive()

    asyncio.run(walk())


@VERSIONS
@pytest.mark.parametrize("polite", [True, False])
def test_a_will_is_published_unless_its_client_says_good_bye(version: int, polite: bool) -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.peer()
            none = b"\0" if version == 5 else b""
            body = (
                text("MQTT"),
                bytes([version, 0x2E]),
                0,
                none,
                text("dies"),
                none,
                text("last/words"),
                text("bye"),
            )
            await peer.send(packet(0x10, *body))
            await peer.read()
            if polite:
                await peer.send(DISCONNECT)
                assert await peer.gone() == []
            else:
                peer.writer.transport.abort()
            await eventually(lambda: shelter.listener.traffic().open == 0)
            await asyncio.sleep(0.02)
            said = [(m.topic, m.payload, m.client_id, m.qos) for m in shelter.messages]
            assert said == ([] if polite else [("last/words", b"bye", "dies", 1)])

    asyncio.run(walk())


@VERSIONS
def test_a_second_client_of_the_same_name_takes_over(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            first = await shelter.client("twin", version)
            await first.send(subscribe("a", 0, 1, version))
            await first.read()
            second = await shelter.client("twin", version)
            assert await first.gone() == end_of(version, 0x8E)
            await second.send(publish("a", b"x", 1, 1, version))
            assert await second.read() == b"\x40\x02\x00\x01"
            assert await second.alive()
            assert shelter.listener.traffic().open == 1

    asyncio.run(walk())


@VERSIONS
def test_a_silent_client_is_let_go_and_a_living_one_is_not(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            silent, living = await shelter.peer(), await shelter.peer()
            await silent.hello("silent", version, keep_alive_s=1)
            await living.hello("living", version, keep_alive_s=1)
            began = time.monotonic()
            goes = asyncio.create_task(silent.gone())
            for _ in range(9):
                assert await living.alive()
                await asyncio.sleep(0.2)
            assert await goes == end_of(version, 0x8D)
            assert time.monotonic() - began >= 1.4
            assert await living.alive()

    asyncio.run(walk())


def test_who_does_not_introduce_itself_is_let_go() -> None:
    async def walk() -> None:
        async with house(replace(QUICK, connect_timeout_s=0.3)) as shelter:
            mute, slow = await shelter.peer(), await shelter.peer()
            await slow.send(connect()[:5])
            assert await mute.gone() == []
            assert await slow.gone() == []
            assert shelter.listener.traffic().refused == 2

    asyncio.run(walk())


def test_a_client_without_a_name_gets_one() -> None:
    async def walk() -> None:
        async with house() as shelter:
            one, two = await shelter.peer(), await shelter.peer()
            assert b"unnamed-1" in await one.hello("")
            assert b"unnamed-2" in await two.hello("")
            old = await shelter.peer()
            await old.hello("", version=4)
            await old.send(publish("a", b"x", version=4))
            [message] = await shelter.until(1)
            assert message.client_id == "unnamed-3"

    asyncio.run(walk())


def test_more_at_once_than_allowed_ends_the_connection() -> None:
    async def walk() -> None:
        never = asyncio.Event()

        async def deliver(batch: list[Message]) -> None:
            await never.wait()

        async with house(replace(QUICK, receive_maximum=3), deliver) as shelter:
            peer = await shelter.client()
            await peer.send(*(publish("a", b"x", 1, number) for number in range(1, 5)))
            assert await peer.gone() == end_of(5, 0x93)
            never.set()

    asyncio.run(walk())


def test_an_old_client_that_sends_too_fast_is_slowed_down_not_cut_off() -> None:
    async def walk() -> None:
        async def deliver(batch: list[Message]) -> None:
            found.extend(batch)
            await asyncio.sleep(0.002)

        found: list[Message] = []
        async with house(replace(QUICK, receive_maximum=3, batch_messages=3), deliver) as shelter:
            peer = await shelter.client(version=4)
            await peer.send(*(publish("a", bytes(900), 1, number, 4) for number in range(1, 201)))
            answers = [await peer.read() for _ in range(200)]
            assert answers == [packet(0x40, number) for number in range(1, 201)]
            assert len(found) == 200

    asyncio.run(walk())


def test_when_delivery_stalls_reading_stops_and_memory_stays_bounded() -> None:
    async def walk() -> None:
        go_on = asyncio.Event()

        async def deliver(batch: list[Message]) -> None:
            await go_on.wait()
            counted.append(len(batch))

        counted: list[int] = []
        limits = replace(QUICK, pending_bytes=50_000, receive_maximum=65_535, packet_bytes=20_000)
        async with house(limits, deliver) as shelter:
            peer = await shelter.client()
            everything = b"".join(publish("a", bytes(10_000)) for _ in range(3_000))
            sending = asyncio.create_task(peer.send(everything))
            await asyncio.sleep(0.2)
            assert not sending.done()
            exchange = shelter.listener._exchange
            assert exchange._delivery._pending_bytes < 1_000_000
            go_on.set()
            await sending
            await eventually(lambda: sum(counted) == 3_000)
            assert await peer.alive()

    asyncio.run(walk())


def test_topic_aliases_stand_for_topics() -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.client()
            alias = b"\x03\x23\x00\x02"
            await peer.send(packet(0x30, text("a/b"), alias, b"1"), packet(0x30, text(""), alias, b"2"))
            assert [m.topic for m in await shelter.until(2)] == ["a/b", "a/b"]
            await peer.send(packet(0x30, text(""), b"\x03\x23\x00\x03", b"3"))
            assert await peer.gone() == end_of(5, 0x82)
            other = await shelter.client()
            await other.send(packet(0x30, text("a"), b"\x03\x23\x01\x00", b"3"))
            assert await other.gone() == end_of(5, 0x94)

    asyncio.run(walk())


def test_nobody_gets_a_packet_larger_than_it_takes() -> None:
    async def walk() -> None:
        async with house() as shelter:
            hearer, speaker = await shelter.peer(), await shelter.client("speaker")
            await hearer.hello("small", properties=b"\x27\x00\x00\x00\x28")
            await hearer.send(subscribe("a", 1))
            await hearer.read()
            await speaker.send(publish("a", bytes(100), 1, 1), publish("a", b"small", 1, 2))
            assert await hearer.read() == publish("a", b"small", 1, 2)
            assert shelter.listener.traffic().dropped == 1

    asyncio.run(walk())


def test_too_many_connections_are_refused() -> None:
    async def walk() -> None:
        async with house(replace(QUICK, connections=3)) as shelter:
            peers: list[Peer] = [await shelter.client(f"c{i}") for i in range(3)]
            fourth = await shelter.peer()
            assert await fourth.gone() == []
            assert shelter.listener.traffic().refused == 1
            peers[0].close()
            await eventually(lambda: shelter.listener.traffic().open == 2)
            assert await (await shelter.client("fourth")).alive()
            assert all([await peer.alive() for peer in peers[1:]])

    asyncio.run(walk())


def test_limits_are_what_the_acceptance_says() -> None:
    async def walk() -> None:
        async with house(Limits(receive_maximum=9, packet_bytes=5_000, topic_aliases=2)) as shelter:
            answer = await (await shelter.peer()).hello()
            assert b"\x21\x00\x09" in answer
            assert b"\x27\x00\x00\x13\x88" in answer
            assert b"\x22\x00\x02" in answer

    asyncio.run(walk())


@VERSIONS
@pytest.mark.parametrize("polite", [True, False])
def test_a_connection_that_ended_is_gone_without_anybody_looking_for_cycles(
    version: int, polite: bool
) -> None:
    def connections() -> int:
        return sum(isinstance(found, Connection) for found in gc.get_objects())

    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.client("a", version)
            for qos, answer in ((1, 4), (2, 5)):
                await peer.send(publish("a", b"1", qos, qos, version))
                assert (await peer.read())[0] >> 4 == answer
            assert connections() == 1
            if polite:
                await peer.send(DISCONNECT)
                await peer.gone()
            peer.close()
            await eventually(lambda: not shelter.listener.traffic().open)
            assert connections() == 0

    gc.collect()
    gc.disable()
    try:
        asyncio.run(walk())
    finally:
        gc.enable()
