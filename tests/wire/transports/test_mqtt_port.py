"""Where the listener listens, who may connect, and how it closes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import replace

import pytest

from bimetal.nouns.errors import BadInput, Broken, NotAllowed
from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt import MqttListener
from tests.wire.transports.mqtt_peer import QUICK, VERSIONS, end_of, house, publish


@VERSIONS
def test_closing_keeps_and_acknowledges_what_has_arrived(version: int) -> None:
    async def walk() -> None:
        async with house(replace(QUICK, tick_s=60)) as shelter:
            peer = await shelter.client(version=version)
            await peer.send(publish("a", b"x", 1, 7, version))
            assert await peer.alive()
            await shelter.listener.close()
            assert await peer.gone() == [b"\x40\x02\x00\x07", *end_of(version, 0x8B)]
            assert len(shelter.messages) == 1
            with pytest.raises(ConnectionRefusedError):
                await shelter.peer()

    asyncio.run(walk())


def test_closing_does_not_wait_for_ever_for_a_delivery_that_hangs() -> None:
    async def walk() -> None:
        async def deliver(batch: list[Message]) -> None:
            await asyncio.Event().wait()

        async with house(deliver=deliver) as shelter:
            peer = await shelter.client()
            await peer.send(publish("a", b"x", 1, 7))
            assert await peer.alive()
            await asyncio.wait_for(shelter.listener.close(), 3)
            assert await peer.gone() == end_of(5, 0x83)
            await asyncio.wait_for(shelter.listener.finished(), 1)

    asyncio.run(walk())


async def nothing(batch: list[Message]) -> None:
    """Keep nothing."""


def test_a_port_in_use_is_said_in_one_sentence() -> None:
    async def walk() -> None:
        async with house() as shelter:
            other = MqttListener("127.0.0.1", shelter.listener.port, nothing, now_ns=time.time_ns)
            with pytest.raises(
                BadInput, match=r"another program has this port\. Stop it, or use another port"
            ):
                await other.start()
            await other.close()

    asyncio.run(walk())


def test_only_this_machine_may_connect_without_tls() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org", ""):
        with pytest.raises(NotAllowed, match="without TLS"):
            MqttListener(host, 0, nothing, now_ns=time.time_ns)
    for host in ("127.0.0.1", "::1", "localhost", "127.5.5.5"):
        MqttListener(host, 0, nothing, now_ns=time.time_ns)
    MqttListener("0.0.0.0", 0, nothing, now_ns=time.time_ns, tls=ssl.create_default_context())


@pytest.mark.parametrize("port", [-1, 65_536])
def test_an_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(BadInput, match="is not a port"):
        MqttListener("127.0.0.1", port, nothing, now_ns=time.time_ns)


def test_an_address_that_is_not_ours_is_said() -> None:
    async def walk() -> None:
        listener = MqttListener(
            "192.0.2.1", 0, nothing, now_ns=time.time_ns, tls=ssl.create_default_context()
        )
        with pytest.raises(BadInput, match="nothing can listen here"):
            await listener.start()

    asyncio.run(walk())


def test_a_listener_starts_once() -> None:
    async def walk() -> None:
        async with house() as shelter:
            with pytest.raises(Broken):
                await shelter.listener.start()
        with pytest.raises(Broken):
            await shelter.listener.start()

    asyncio.run(walk())


def test_any_free_port_is_found_and_given_back() -> None:
    async def walk() -> None:
        async with house() as one, house() as two:
            assert one.listener.port != two.listener.port
            port = one.listener.port
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))

    asyncio.run(walk())
