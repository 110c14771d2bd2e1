"""Clients that come, are away and come back, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bimetal.keep.session_file import SessionFile
from tests.wire.transports.mqtt_peer import DISCONNECT, House, Peer, house, publish, subscribe

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


async def absent(shelter: House, client_id: str, pattern: str = "a") -> None:
    """Come, subscribe at QoS 1 so that it is remembered, and say good-bye."""
    peer, _ = await back(shelter, client_id)
    await peer.send(subscribe(pattern, 1))
    await peer.read()
    await away(peer)


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
