"""What every transport owes: each message once, in order, unchanged; and to leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from bimetal.wire.transport import Deliver, Message, Transport
from bimetal.wire.transports.lines import LineTransport
from bimetal.wire.transports.mqtt import MqttListener
from tests.wire.transports.mqtt_peer import connect, eventually, publish

Send = Callable[[list[bytes]], Awaitable[None]]


@dataclass
class Guest:
    """A transport under test, a way to send through it, and a way to clear up afterwards."""

    transport: Transport
    send: Send
    clear: Callable[[], None]


def lines(deliver: Deliver) -> Guest:
    """Lines through a pipe."""
    reader, writer = os.pipe()
    stream = os.fdopen(reader, "rb")

    async def send(payloads: list[bytes]) -> None:
        whole = b"".join(payload + b"\n" for payload in payloads)
        await asyncio.to_thread(os.write, writer, whole)

    def clear() -> None:
        os.close(writer)
        stream.close()

    return Guest(LineTransport(stream, deliver, now_ns=time.time_ns), send, clear)


def mqtt(deliver: Deliver) -> Guest:
    """MQTT messages through a socket, acknowledged or not."""
    listener = MqttListener("127.0.0.1", 0, deliver, now_ns=time.time_ns)
    writers: list[asyncio.StreamWriter] = []

    async def send(payloads: list[bytes]) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writers.append(writer)
        writer.write(
            connect("guest") + b"".join(publish("a", one, 1, n + 1) for n, one in enumerate(payloads))
        )
        await writer.drain()

    def clear() -> None:
        for writer in writers:
            writer.close()

    return Guest(listener, send, clear)


GUESTS = pytest.mark.parametrize("make", [lines, mqtt])
Make = Callable[[Deliver], Guest]
PAYLOADS = [b"%d" % number for number in range(100)]


class Kept:
    """A deliver that keeps everything."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, batch: list[Message]) -> None:
        self.messages += batch


@GUESTS
def test_each_message_arrives_once_in_order_and_unchanged(make: Make) -> None:
    async def walk() -> None:
        kept = Kept()
        guest = make(kept)
        before = time.time_ns()
        await guest.transport.start()
        await guest.send(PAYLOADS)
        await eventually(lambda: len(kept.messages) >= len(PAYLOADS))
        await guest.transport.close()
        guest.clear()
        assert [message.payload for message in kept.messages] == PAYLOADS
        assert all(message.topic and message.client_id for message in kept.messages)
        assert all(before <= message.received_ns <= time.time_ns() for message in kept.messages)
        traffic = guest.transport.traffic()
        assert (traffic.messages, traffic.bytes) == (len(PAYLOADS), sum(map(len, PAYLOADS)))
        assert (traffic.open, traffic.connections, traffic.refused, traffic.failed) == (0, 1, 0, 0)

    asyncio.run(walk())


@GUESTS
def test_closing_leaves_nothing_running_and_can_be_repeated(make: Make) -> None:
    async def walk() -> None:
        threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
        guest = make(Kept())
        await guest.transport.start()
        waiting = asyncio.create_task(guest.transport.finished())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await guest.transport.close()
        await guest.transport.close()
        await asyncio.wait_for(waiting, 1)
        guest.clear()
        assert asyncio.all_tasks() <= tasks
        assert set(threading.enumerate()) <= threads

    asyncio.run(walk())


@GUESTS
def test_what_deliver_does_not_keep_is_counted_as_failed_and_not_as_received(make: Make) -> None:
    async def walk() -> None:
        async def broken(batch: list[Message]) -> None:
            raise RuntimeError("no")

        guest = make(broken)
        await guest.transport.start()
        await guest.send(PAYLOADS)
        await eventually(lambda: guest.transport.traffic().failed > 0)
        await guest.transport.close()
        guest.clear()
        assert guest.transport.traffic().messages == 0

    asyncio.run(walk())


@GUESTS
def test_closing_waits_for_the_delivery_under_way_but_not_for_ever(make: Make) -> None:
    async def walk(takes_s: float) -> int:
        begun = asyncio.Event()

        async def slow(batch: list[Message]) -> None:
            begun.set()
            await asyncio.sleep(takes_s)

        guest = make(slow)
        await guest.transport.start()
        await guest.send(PAYLOADS[:1])
        await asyncio.wait_for(begun.wait(), 5)
        await asyncio.wait_for(guest.transport.close(), 10)
        guest.clear()
        return guest.transport.traffic().messages

    assert asyncio.run(walk(0.2)) == 1
    assert asyncio.run(walk(3_600)) == 0
