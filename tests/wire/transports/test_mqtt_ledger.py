"""What is written down of clients and topics: before it is acknowledged, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from bimetal.keep.session_file import SessionFile
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.wire.transports.mqtt import Key, Note
from bimetal.wire.transports.mqtt.ledger import Ledger
from tests.wire.transports.mqtt_guest import absent, away, back, in_turn, left_for, told
from tests.wire.transports.mqtt_peer import (
    VERSIONS,
    House,
    end_of,
    eventually,
    house,
    publish,
    subscribe,
)


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
            await absent(shelter, "ear")
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
            await absent(shelter, "ear")
        del store.notes["session", "ear", ""]
        async with house(store=store) as shelter:
            assert not shelter.listener._exchange._sessions
        assert not store.notes

    asyncio.run(walk())


def test_one_who_fails_when_told_does_not_keep_the_others_waiting() -> None:
    async def walk() -> None:
        heard: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))
        ledger = Ledger(Failing())
        ledger.write(("letter", "c", "1"), ("a", b""))

        def fail(failure: BaseException | None) -> None:
            raise ConnectionError("gone")

        ledger.then(fail)
        ledger.then(heard.append)
        await eventually(lambda: len(heard) == 2)
        assert isinstance(heard[0], ConnectionError)
        assert heard[1] is None
        ledger.then(heard.append)
        assert heard[2:] == [None], "nothing is left to wait for"
        await ledger.flush()

    asyncio.run(walk())
