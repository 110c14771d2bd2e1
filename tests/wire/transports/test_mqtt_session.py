"""What outlives a connection: subscriptions, messages on their way, wills that wait, shared turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.keep.session_file import SessionFile
from bimetal.nouns.errors import BadInput, NotAllowed, Unsupported
from bimetal.trust.identify import Claim, Identity
from bimetal.wire.transports.mqtt import Key, Note
from tests.wire.transports.mqtt_peer import (
    DISCONNECT,
    QUICK,
    VERSIONS,
    House,
    Peer,
    end_of,
    eventually,
    house,
    packet,
    publish,
    subscribe,
    text,
)

HOUR = b"\x11" + (3_600).to_bytes(4, "big")
"""The property that asks to be remembered for an hour."""


async def back(
    shelter: House, client_id: str, version: int = 5, clean: bool = False, properties: bytes = HOUR
) -> tuple[Peer, bool]:
    """Come (back) as a client that is remembered; return it and whether it was."""
    peer = await shelter.peer()
    answer = await peer.hello(client_id, version, clean=clean, properties=properties)
    assert answer[3] == 0
    return peer, bool(answer[2])


async def away(peer: Peer) -> None:
    """Say good-bye."""
    await peer.send(DISCONNECT)
    await peer.gone()
    peer.close()


def told(answer: bytes, version: int) -> tuple[bytes, int, bool]:
    """The payload, identifier and duplicate flag of a PUBLISH with QoS above 0 and a topic of one letter."""
    assert answer[0] >> 4 == 3, answer
    start = 7 + (version == 5)
    return answer[start:], int.from_bytes(answer[5:7], "big"), bool(answer[0] & 8)


async def left_for(shelter: House, *payloads: bytes, qos: int = 1, topic: str = "a") -> None:
    """Publish messages, and wait until each is acknowledged."""
    peer = await shelter.client("sender")
    for number, payload in enumerate(payloads, 1):
        await peer.send(publish(topic, payload, qos, number))
        assert (await peer.read())[0] >> 4 == (4 if qos == 1 else 5)
    peer.close()


Stage = Callable[[House], Awaitable[None]]


def in_turn(store: SessionFile | None, *stages: Stage) -> None:
    """Play one stage after the other; with a store each on a new listener, else all on one."""

    async def walk() -> None:
        if store is None:
            async with house() as shelter:
                for stage in stages:
                    await stage(shelter)
            return
        for stage in stages:
            async with house(store=SessionFile(store.path)) as shelter:
                await stage(shelter)

    asyncio.run(walk())


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
            peer, _ = await back(shelter, "ear")
            await peer.send(subscribe("a", 1))
            await peer.read()
            await away(peer)
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
            peer, _ = await back(shelter, "ear")
            await peer.send(subscribe("a", 1))
            await peer.read()
            await away(peer)
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


def will_of(client_id: str, delay_s: int, remember_s: int, clean: bool = False) -> bytes:
    """Return a CONNECT with a will that waits."""
    properties = b"\x11" + remember_s.to_bytes(4, "big")
    waits = b"\x18" + delay_s.to_bytes(4, "big")
    flags = 0x0C | 2 * clean
    return packet(
        0x10, text("MQTT"), bytes([5, flags]), 0, bytes([5]) + properties, text(client_id),
        bytes([5]) + waits, text("gone"), text(b"bye"),
    )  # fmt: skip


@pytest.mark.parametrize(("remember_s", "delay_s"), [(60, 1), (1, 60), (0, 60), (60, 0)])
def test_a_will_waits_for_its_client_but_not_beyond_its_session(remember_s: int, delay_s: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.peer()
            await peer.send(will_of("pump", delay_s, remember_s))
            await peer.read()
            peer.writer.transport.abort()
            await eventually(lambda: shelter.listener.traffic().open == 0)
            await asyncio.sleep(0.1)
            assert bool(shelter.messages) == (min(remember_s, delay_s) == 0)
            assert [m.payload for m in await shelter.until(1)] == [b"bye"]

    asyncio.run(walk())


def test_a_will_is_not_told_of_a_client_that_came_back_in_time() -> None:
    async def walk() -> None:
        async with house() as shelter:
            for _ in range(2):
                peer = await shelter.peer()
                await peer.send(will_of("pump", 1, 60))
                await peer.read()
                peer.writer.transport.abort()
                await eventually(lambda: shelter.listener.traffic().open == 0)
            peer, present = await back(shelter, "pump")
            assert present
            await asyncio.sleep(1.2)
            assert not shelter.messages
            other = await shelter.peer()
            await other.send(will_of("pump", 1, 60, clean=True))
            await other.read()
            peer, present = await back(shelter, "pump", clean=True)
            assert not present
            assert [m.payload for m in await shelter.until(1)] == [b"bye"]

    asyncio.run(walk())


def test_nobody_takes_up_the_session_of_another() -> None:
    def by_name(claim: Claim) -> Identity:
        return Identity(None)

    async def walk() -> None:
        async with house(identify=by_name) as shelter:
            for login, expected in ((("ann", b"x"), False), (("bob", b"x"), False), (("bob", b"x"), True)):
                peer = await shelter.peer()
                answer = await peer.hello("ear", clean=False, properties=HOUR, login=login)
                assert bool(answer[2]) == expected
                await away(peer)

    asyncio.run(walk())


def test_who_is_let_in_no_longer_is_not_remembered_either() -> None:
    revoked: set[str] = set()

    def identify(claim: Claim) -> Identity:
        if claim.name in revoked:
            raise NotAllowed("revoked")
        return Identity(None)

    async def walk() -> None:
        async with house(identify=identify) as shelter:
            peer, _ = await back(shelter, "ear")
            revoked.add("ear")
            shelter.listener.check_again()
            assert await peer.gone() == end_of(5, 0x87)
            await eventually(lambda: not shelter.listener._exchange._sessions)

    asyncio.run(walk())


def test_what_waits_for_all_who_are_away_is_bounded() -> None:
    async def walk() -> None:
        limits = replace(QUICK, queued_messages=3, remembered_bytes=50, remembered_sessions=2)
        async with house(limits) as shelter:
            for name in ("a", "b", "c"):
                peer, _ = await back(shelter, name)
                await peer.send(subscribe("a", 1))
                await peer.read()
                await away(peer)
                await eventually(lambda: shelter.listener.traffic().open == 0)
            assert set(shelter.listener._exchange._sessions) == {"a", "b"}
            await left_for(shelter, *[b"123456"] * 5)
            assert shelter.listener.traffic().dropped == 4
            heard = 0
            for name in ("a", "b"):
                peer, _ = await back(shelter, name)
                for _ in range(3):
                    payload, number, _ = told(await peer.read(), 5)
                    assert payload == b"123456"
                    await peer.send(packet(0x40, number))
                    heard += 1
                await away(peer)
            assert heard == 6
            assert shelter.listener._exchange._roster._purse.take(50)

    asyncio.run(walk())


@VERSIONS
def test_of_those_who_share_one_gets_each_message(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            workers = [await shelter.client(f"worker-{i}", version) for i in range(3)]
            for peer in workers:
                await peer.send(subscribe("$share/group/a", 1, 1, version))
                assert (await peer.read())[-1] == 1
            other = await shelter.client("other", version)
            await other.send(subscribe("a", 1, 1, version))
            await other.read()
            await left_for(shelter, *(b"%d" % i for i in range(9)))
            for peer in workers:
                heard = {told(await peer.read(), version)[0] for _ in range(3)}
                assert len(heard) == 3
            assert [told(await other.read(), version)[0] for _ in range(9)] == [b"%d" % i for i in range(9)]
            await workers[0].send(packet(0xA2, 5, b"\0" if version == 5 else b"", text("$share/group/a")))
            while (answer := await workers[0].read())[0] >> 4 != 11:
                assert answer[0] >> 4 == 3
            await left_for(shelter, b"x", b"y")
            assert {told(await peer.read(), version)[0] for peer in workers[1:]} == {b"x", b"y"}

    asyncio.run(walk())


def test_what_a_member_did_not_get_goes_to_another_when_its_session_ends() -> None:
    async def walk() -> None:
        async with house() as shelter:
            first = await shelter.client("first")
            await first.send(subscribe("$share/group/a", 1))
            await first.read()
            await left_for(shelter, b"one")
            await first.read()
            second = await shelter.client("second")
            await second.send(subscribe("$share/group/a", 1))
            await second.read()
            first.writer.transport.abort()
            assert told(await second.read(), 5)[0] == b"one"

    asyncio.run(walk())


def test_those_who_share_are_waited_for_only_while_nobody_is_there(tmp_path: Path) -> None:
    store = SessionFile(tmp_path / "sessions.sqlite")

    async def walk() -> None:
        async with house(store=store) as shelter:
            for name in ("one", "two"):
                peer, _ = await back(shelter, name)
                await peer.send(subscribe("$share/group/a", 1))
                await peer.read()
                await away(peer)
        async with house(store=SessionFile(store.path)) as shelter:
            await left_for(shelter, b"1", b"2", b"3", b"4")
            peer, _ = await back(shelter, "one")
            mine = [told(await peer.read(), 5)[0] for _ in range(2)]
            await left_for(shelter, b"5", b"6")
            mine += [told(await peer.read(), 5)[0] for _ in range(2)]
            other, _ = await back(shelter, "two")
            its = [told(await other.read(), 5)[0] for _ in range(2)]
            assert sorted(mine) + sorted(its) in (
                [b"1", b"3", b"5", b"6", b"2", b"4"],
                [b"2", b"4", b"5", b"6", b"1", b"3"],
            )

    asyncio.run(walk())


def test_a_shared_subscription_gets_nothing_that_was_left_and_cannot_leave_out_its_own() -> None:
    async def walk() -> None:
        async with house() as shelter:
            sender = await shelter.client("sender")
            await sender.send(publish("a", b"left", 1, 1, flags=1))
            await sender.read()
            peer = await shelter.client("worker")
            await peer.send(subscribe("$share/group/a", 1))
            await peer.read()
            peer.wait_s = 0.1
            with pytest.raises(TimeoutError):
                await peer.read()
            await peer.send(packet(0x82, 2, b"\0", text("$share/group/a"), bytes([4])))
            assert await peer.gone() == end_of(5, 0x82)

    asyncio.run(walk())


def test_a_device_may_share_only_what_it_may_hear() -> None:
    async def walk() -> None:
        async with house(identify=lambda claim: Identity(claim.name)) as shelter:
            peer = await shelter.client("pump")
            for pattern, code in (("$share/g/commands/pump/#", 0), ("$share/g/#", 0x87), ("#", 0x87)):
                await peer.send(subscribe(pattern))
                assert (await peer.read())[-1] == code

    asyncio.run(walk())


@VERSIONS
def test_retained_messages_outlive_the_listener(version: int, tmp_path: Path) -> None:
    store = SessionFile(tmp_path / "sessions.sqlite")

    async def leave(shelter: House) -> None:
        sender = await shelter.client("sender", version)
        for number, topic, payload in ((1, "a", b"old"), (2, "a", b"new"), (3, "b", b"x"), (4, "b", b"")):
            await sender.send(publish(topic, payload, 1, number, version, flags=1))
            await sender.read()

    async def find(shelter: House) -> None:
        peer = await shelter.client("ear", version)
        await peer.send(subscribe("#", 1, 1, version))
        await peer.read()
        assert told(await peer.read(), version)[0] == b"new"
        peer.wait_s = 0.1
        with pytest.raises(TimeoutError):
            await peer.read()

    in_turn(store, leave, find)


class Failing:
    """A store that cannot be written for a while."""

    def __init__(self) -> None:
        self.notes: dict[Key, Note] = {}
        self.full = False

    def load(self) -> Mapping[Key, Note]:
        return dict(self.notes)

    def commit(self, changes: Mapping[Key, Note | None]) -> None:
        if self.full:
            raise Unsupported("the disk is full")
        for key, note in changes.items():
            if note is None:
                self.notes.pop(key, None)
            else:
                self.notes[key] = note


def test_what_cannot_be_written_down_is_not_acknowledged_and_is_once_it_can() -> None:
    store = Failing()

    async def walk() -> None:
        async with house(store=store) as shelter:
            peer, _ = await back(shelter, "ear")
            await peer.send(subscribe("a", 1))
            await peer.read()
            await away(peer)
            await eventually(lambda: len(store.notes) == 2)
            store.full = True
            sender = await shelter.client("sender")
            await sender.send(publish("a", b"one", 1, 1))
            assert await sender.gone() == end_of(5, 0x83)
            assert isinstance(shelter.listener.failure, Unsupported)
            assert shelter.listener.traffic().failed == 1
            store.full = False
            await left_for(shelter, b"two")
            assert [kind for kind, _, _ in store.notes].count("letter") == 2
        async with house(store=store) as shelter:
            peer, _ = await back(shelter, "ear")
            assert [told(await peer.read(), 5)[0] for _ in range(2)] == [b"one", b"two"]

    asyncio.run(walk())


def test_what_comes_and_goes_at_once_is_never_written() -> None:
    store = Failing()

    async def walk() -> None:
        async with house(store=store) as shelter:
            for _ in range(3):
                peer = await shelter.client("quick")
                await peer.send(subscribe("a", 1))
                await peer.read()
                await left_for(shelter, b"x")
                assert told(await peer.read(), 5)[0] == b"x"
                await away(peer)
        assert not store.notes

    asyncio.run(walk())


@pytest.mark.parametrize(
    "notes",
    [
        {("session", "x", ""): ("x", b"\xc1")},
        {("session", "x", ""): ("x", b"\x93\xa1x\xa1y\x00")},
        {("filter", "x", "a"): ("x", b"\x80")},
        {("letter", "x", "1"): ("a", b"")},
        {("received", "x", "7"): ("x", b"\xa1x")},
        {("retained", "", "a"): ("a", b"\x91\x01")},
    ],
)
def test_notes_that_cannot_be_read_are_refused_in_words(notes: dict[Key, Note]) -> None:
    store = Failing()
    store.notes = notes

    async def walk() -> None:
        with pytest.raises(BadInput, match="remembered of MQTT clients"):
            async with house(store=store):
                pass

    asyncio.run(walk())


def test_notes_without_their_session_are_swept_away() -> None:
    store = Failing()

    async def walk() -> None:
        async with house(store=store) as shelter:
            peer, _ = await back(shelter, "ear")
            await peer.send(subscribe("a", 1))
            await peer.read()
            await away(peer)
        del store.notes["session", "ear", ""]
        async with house(store=store) as shelter:
            assert not shelter.listener._exchange._sessions
        assert not store.notes

    asyncio.run(walk())
