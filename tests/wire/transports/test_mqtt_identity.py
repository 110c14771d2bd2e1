"""With tokens a device may publish its own readings and hear its own commands, and nothing else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bimetal.trust.identify import by_token
from bimetal.trust.token import TokenFile
from tests.wire.transports.mqtt_peer import (
    VERSIONS,
    House,
    Peer,
    connect,
    end_of,
    house,
    packet,
    publish,
    subscribe,
    text,
)

NOT_AUTHORIZED = 0x87
DENIED = {4: bytes((0x20, 2, 0, 5)), 5: bytes((0x20, 3, 0, NOT_AUTHORIZED, 0))}


def play(tmp_path: Path, act: Callable[[House, bytes], Awaitable[None]]) -> None:
    """Act against a listener where pump-1 and pump-2 have tokens; pump-1's is handed in."""

    async def walk() -> None:
        tokens = TokenFile(tmp_path / "tokens.json")
        token = tokens.make("pump-1", secrets.token_bytes)
        tokens.make("pump-2", secrets.token_bytes)
        async with house(identify=by_token(tokens)) as shelter:
            await act(shelter, token.encode())

    asyncio.run(walk())


async def let_in(shelter: House, token: bytes, version: int, client_id: str = "pump-1") -> Peer:
    """A peer that was accepted as pump-1."""
    peer = await shelter.peer()
    await peer.hello(client_id, version, login=("pump-1", token))
    return peer


@VERSIONS
def test_the_right_token_lets_a_device_publish_its_readings(tmp_path: Path, version: int) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await let_in(shelter, token, version)
        await peer.send(publish("readings/pump-1", b"{}", 1, 7, version))
        assert await peer.read() == bytes((0x40, 2, 0, 7))
        assert [m.topic for m in await shelter.until(1)] == ["readings/pump-1"]

    play(tmp_path, act)


@VERSIONS
@pytest.mark.parametrize("login", [None, ("pump-1", b"guess"), ("pump-1", b""), ("nobody", b"x"), ("", b"")])
def test_a_wrong_token_is_turned_away(tmp_path: Path, version: int, login: tuple[str, bytes] | None) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await shelter.peer()
        await peer.send(connect("pump-1", version, login=login))
        assert (await peer.read())[:4] == DENIED[version][:4]
        await peer.gone()
        assert shelter.messages == []

    play(tmp_path, act)


@VERSIONS
def test_anothers_token_does_not_open(tmp_path: Path, version: int) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await shelter.peer()
        await peer.send(connect("pump-2", version, login=("pump-2", token)))
        assert (await peer.read())[:4] == DENIED[version][:4]

    play(tmp_path, act)


@VERSIONS
def test_a_device_cannot_pose_as_another_client(tmp_path: Path, version: int) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await shelter.peer()
        await peer.send(connect("pump-2", version, login=("pump-1", token)))
        assert (await peer.read())[3] in (2, 0x85)

    play(tmp_path, act)


@VERSIONS
@pytest.mark.parametrize("topic", ["readings/pump-2", "readings", "readings/pump-1/x", "commands/pump-1/x"])
def test_publishing_elsewhere_ends_the_connection(tmp_path: Path, version: int, topic: str) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await let_in(shelter, token, version)
        await peer.send(publish(topic, b"{}", 1, 7, version))
        assert await peer.gone() == end_of(version, NOT_AUTHORIZED)
        assert shelter.messages == []

    play(tmp_path, act)


@VERSIONS
def test_its_own_readings_may_say_what_they_are_written_in(tmp_path: Path, version: int) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await let_in(shelter, token, version)
        await peer.send(publish("readings/pump-1/cbor", b"{}", 1, 7, version))
        await peer.read()
        assert [m.topic for m in shelter.messages] == ["readings/pump-1/cbor"]

    play(tmp_path, act)


@VERSIONS
@pytest.mark.parametrize(
    ("pattern", "granted"),
    [("commands/pump-1/#", 0), ("#", None), ("readings/pump-2", None), ("commands/+/x", None)],
)
def test_only_its_own_commands_can_be_heard(
    tmp_path: Path, version: int, pattern: str, granted: int | None
) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await let_in(shelter, token, version)
        await peer.send(subscribe(pattern, 0, 1, version))
        answer = await peer.read()
        refusal = NOT_AUTHORIZED if version == 5 else 0x80
        assert answer[-1] == (refusal if granted is None else granted)

    play(tmp_path, act)


@VERSIONS
def test_a_will_may_only_be_about_itself(tmp_path: Path, version: int) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await shelter.peer()
        none = b"\0" if version == 5 else b""
        will = none + text("readings/pump-2") + text(b"{}")
        login = text("pump-1") + text(token)
        await peer.send(
            packet(0x10, text("MQTT"), bytes([version, 0xC6]), 0, none, text("pump-1"), will, login)
        )
        assert (await peer.read())[:4] == DENIED[version][:4]

    play(tmp_path, act)


@VERSIONS
def test_who_is_let_in_no_longer_is_cut_off(tmp_path: Path, version: int) -> None:
    async def act(shelter: House, token: bytes) -> None:
        peer = await let_in(shelter, token, version)
        shelter.listener.check_again()
        await peer.send(publish("readings/pump-1", b"{}", 1, 7, version))
        assert await peer.read() == bytes((0x40, 2, 0, 7))
        TokenFile(tmp_path / "tokens.json").revoke("pump-1")
        shelter.listener.check_again()
        assert await peer.gone() == end_of(version, NOT_AUTHORIZED)

    play(tmp_path, act)
