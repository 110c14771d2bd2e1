"""What outlives a connection: subscriptions, messages on their way, identifiers that are in use."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.keep.session_file import SessionFile
from tests.wire.transports.mqtt_guest import HOUR, absent, away, back, in_turn, left_for, told
from tests.wire.transports.mqtt_peer import (
    QUICK,
    VERSIONS,
    House,
    end_of,
    eventually,
    house,
    packet,
    publish,
    subscribe,
    text,
)


@pytest.fixture(params=["in memory", "over a restart"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionFile | None:
    return None if request.param == "in memory" else SessionFile(tmp_path / "sessions.sqlite")


@VERSIONS
def test_who_asks_for_it_hears_later_what_came_while_it_was_away(
    version: int, store: SessionFile | None
) -> None:
    async def leave(shelter: House) -> None:
        peer, present = await back(shelter, "ear", version)
        assert not present
        await peer.send(subscribe("a", 1, 1, version), subscribe("b", 0, 2, version))
        assert [(await peer.read())[-1] for _ in range(2)] == [1, 0]
        await away(peer)

    async def miss(shelter: House) -> None:
        await left_for(shelter, b"one", b"two")
        await left_for(shelter, b"lost", topic="b")

    async def hear(shelter: House) -> None:
        peer, present = await back(shelter, "ear", version)
        assert present
        heard = [told(await peer.read(), version) for _ in range(2)]
        assert [payload for payload, _, _ in heard] == [b"one", b"two"]
        await peer.send(*(packet(0x40, number) for _, number, _ in heard))
        assert await peer.alive()
        await away(peer)

    async def nothing(shelter: House) -> None:
        peer, present = await back(shelter, "ear", version)
        assert present
        peer.wait_s = 0.1
        with pytest.raises(TimeoutError):
            await peer.read()
        peer.close()

    in_turn(store, leave, miss, hear, nothing)


@VERSIONS
def test_who_does_not_ask_is_forgotten(version: int, store: SessionFile | None) -> None:
    async def leave(shelter: House) -> None:
        peer = await shelter.client("ear", version)
        await peer.send(subscribe("a", 1, 1, version))
        await peer.read()
        await away(peer)

    async def again(shelter: House) -> None:
        _, present = await back(shelter, "ear", version)
        assert not present

    in_turn(store, leave, again)
    if store:
        assert store.load().keys() == {("session", "ear", "")}


@VERSIONS
def test_a_clean_start_ends_what_was_remembered(version: int, store: SessionFile | None) -> None:
    async def leave(shelter: House) -> None:
        peer, _ = await back(shelter, "ear", version)
        await peer.send(subscribe("a", 1, 1, version))
        await peer.read()
        await left_for(shelter, b"one")
        peer.close()
        await eventually(lambda: shelter.listener.traffic().open == 0)

    async def afresh(shelter: House) -> None:
        peer, present = await back(shelter, "ear", version, clean=True)
        assert not present
        await left_for(shelter, b"two")
        peer.wait_s = 0.1
        with pytest.raises(TimeoutError):
            await peer.read()
        peer.close()

    in_turn(store, leave, afresh)
    if store:
        kinds = {kind for kind, _, _ in store.load()}
        assert kinds <= {"session"}


@VERSIONS
def test_what_is_not_acknowledged_comes_again_under_its_number(
    version: int, store: SessionFile | None
) -> None:
    numbers: list[int] = []

    async def drop(shelter: House) -> None:
        peer, _ = await back(shelter, "ear", version)
        await peer.send(subscribe("a", 2, 1, version))
        await peer.read()
        await left_for(shelter, b"one")
        await left_for(shelter, b"two", qos=2)
        for payload in (b"one", b"two"):
            found, number, again = told(await peer.read(), version)
            assert (found, again) == (payload, False)
            numbers.append(number)
        peer.writer.transport.abort()
        await eventually(lambda: shelter.listener.traffic().open == 0)

    async def receive(shelter: House) -> None:
        peer, present = await back(shelter, "ear", version)
        assert present
        heard = [told(await peer.read(), version) for _ in range(2)]
        assert heard == [(b"one", numbers[0], True), (b"two", numbers[1], True)]
        await peer.send(packet(0x40, numbers[0]), packet(0x50, numbers[1]))
        assert await peer.read() == packet(0x62, numbers[1])
        peer.writer.transport.abort()
        await eventually(lambda: shelter.listener.traffic().open == 0)

    async def release(shelter: House) -> None:
        peer, _ = await back(shelter, "ear", version)
        assert await peer.read() == packet(0x62, numbers[1])
        await peer.send(packet(0x70, numbers[1]))
        assert await peer.alive()
        await away(peer)

    in_turn(store, drop, receive, release)
    if store:
        assert not [key for key in store.load() if key[0] == "letter"]


@VERSIONS
def test_a_qos_2_message_is_heard_once_whatever_is_repeated(version: int, store: SessionFile | None) -> None:
    heard: list[bytes] = []

    async def send(shelter: House) -> None:
        peer, _ = await back(shelter, "mouth", version)
        await peer.send(publish("a", b"x", 2, 7, version))
        assert await peer.read() == packet(0x50, 7)
        heard.extend(m.payload for m in shelter.messages)
        peer.writer.transport.abort()
        await eventually(lambda: shelter.listener.traffic().open == 0)

    async def repeat(shelter: House) -> None:
        before = len(shelter.messages)
        peer, present = await back(shelter, "mouth", version)
        assert present
        await peer.send(publish("a", b"x", 2, 7, version, flags=8))
        assert await peer.read() == packet(0x50, 7)
        await peer.send(packet(0x62, 7))
        assert await peer.read() == packet(0x70, 7)
        await peer.send(publish("a", b"y", 2, 7, version))
        assert await peer.read() == packet(0x50, 7)
        heard.extend(m.payload for m in shelter.messages[before:])
        await peer.send(packet(0x62, 7))
        assert await peer.read() == packet(0x70, 7)
        await away(peer)

    in_turn(store, send, repeat)
    assert heard == [b"x", b"y"]
    if store:
        assert {kind for kind, _, _ in store.load()} == {"session"}


def test_a_repeated_message_that_is_not_kept_yet_is_answered_on_the_new_connection() -> None:
    kept = asyncio.Event()

    async def deliver(batch: list[object]) -> None:
        await kept.wait()

    async def walk() -> None:
        async with house(deliver=deliver) as shelter:
            first, _ = await back(shelter, "mouth")
            await first.send(publish("a", b"x", 2, 7))
            await asyncio.sleep(0.02)
            second, present = await back(shelter, "mouth")
            assert present
            assert await first.gone() == end_of(5, 0x8E)
            await second.send(publish("a", b"x", 2, 7, flags=8))
            await asyncio.sleep(0.02)
            kept.set()
            assert await second.read() == packet(0x50, 7)
            assert shelter.listener.traffic().messages == 1

    asyncio.run(walk())


def test_time_limits_what_is_remembered() -> None:
    async def walk() -> None:
        async with house(replace(QUICK, remember_s=1)) as shelter:
            await absent(shelter, "ear")
            sessions = shelter.listener._exchange._sessions
            assert "ear" in sessions
            await eventually(lambda: "ear" not in sessions)
            await left_for(shelter, b"one")
            peer = await shelter.peer()
            answer = await peer.hello("ear", clean=False, properties=HOUR)
            assert answer[2:4] == b"\0\0"
            assert b"\x11\0\0\0\x01" in answer, "it is told that an hour is too long"

    asyncio.run(walk())


def test_a_session_that_ran_out_while_the_listener_was_down_is_gone(tmp_path: Path) -> None:
    store = SessionFile(tmp_path / "sessions.sqlite")
    second = b"\x11\0\0\0\x01"

    async def walk() -> None:
        async with house(store=store) as shelter:
            peer, _ = await back(shelter, "ear", properties=second)
            await peer.send(subscribe("a", 1))
            await peer.read()
            await away(peer)
        await asyncio.sleep(1.1)
        async with house(store=SessionFile(store.path)) as shelter:
            assert "ear" not in shelter.listener._exchange._sessions
        assert not SessionFile(store.path).load()

    asyncio.run(walk())


def test_a_client_may_shorten_the_time_as_it_leaves_but_not_begin_to_ask() -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer, _ = await back(shelter, "ear")
            await peer.send(b"\xe0\x07\x00\x05\x11\0\0\0\0")
            await peer.gone()
            await eventually(lambda: "ear" not in shelter.listener._exchange._sessions)
            brief = await shelter.client("brief")
            await brief.send(b"\xe0\x07\x00\x05\x11\0\0\0\x09")
            assert await brief.gone() == end_of(5, 0x82)

    asyncio.run(walk())


def test_messages_that_grow_old_are_not_kept_for_who_is_away() -> None:
    async def walk() -> None:
        async with house() as shelter:
            await absent(shelter, "ear")
            sender = await shelter.client("sender")
            for number, expiry_s in ((1, 1), (2, 60)):
                properties = b"\x02" + expiry_s.to_bytes(4, "big")
                await sender.send(packet(0x32, text("a"), number, bytes([5]) + properties, b"x%d" % number))
                await sender.read()
            await asyncio.sleep(1.1)
            peer, _ = await back(shelter, "ear")
            answer = await peer.read()
            assert answer.endswith(b"x2")
            assert int.from_bytes(answer[9:13], "big") in (58, 59)

    asyncio.run(walk())
