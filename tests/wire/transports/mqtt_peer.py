"""A bare MQTT peer and a listener to try it on, for the tests of this folder."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bimetal.trust.identify import Identify, anybody
from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt import Limits, MqttListener, SessionStore

QUICK = Limits(connect_timeout_s=10, tick_s=0.001, close_grace_s=0.3)
WAIT_S = 5.0
VERSIONS = pytest.mark.parametrize("version", [4, 5])


def packet(first: int, *parts: bytes | int) -> bytes:
    """Return a packet of this first byte; numbers among the parts become two bytes."""
    body = b"".join(part if isinstance(part, bytes) else part.to_bytes(2, "big") for part in parts)
    length, size = bytearray(), len(body)
    while True:
        size, byte = divmod(size, 128)
        length.append(byte | (128 if size else 0))
        if not size:
            return bytes([first]) + bytes(length) + body


def text(value: str | bytes) -> bytes:
    """Return a text field: its length in two bytes, then itself."""
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def connect(
    client_id: str = "raw",
    version: int = 5,
    keep_alive_s: int = 0,
    properties: bytes = b"",
    login: tuple[str, bytes] | None = None,
    clean: bool = True,
) -> bytes:
    """Return a CONNECT without a will, with a user name and password if given."""
    extra = bytes([len(properties)]) + properties if version == 5 else b""
    flags, shown = (0, b"") if login is None else (0xC0, text(login[0]) + text(login[1]))
    flags |= 2 * clean
    return packet(0x10, text("MQTT"), bytes([version, flags]), keep_alive_s, extra, text(client_id), shown)


def publish(
    topic: str, payload: bytes, qos: int = 0, packet_id: int = 1, version: int = 5, flags: int = 0
) -> bytes:
    """Return a PUBLISH without properties."""
    number = packet_id.to_bytes(2, "big") if qos else b""
    return packet(0x30 | qos << 1 | flags, text(topic), number, b"\0" if version == 5 else b"", payload)


def subscribe(pattern: str, qos: int = 0, packet_id: int = 1, version: int = 5) -> bytes:
    """Return a SUBSCRIBE to one filter."""
    return packet(0x82, packet_id, b"\0" if version == 5 else b"", text(pattern), bytes([qos]))


DISCONNECT = b"\xe0\x00"
PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"


def end_of(version: int, code: int) -> list[bytes]:
    """What a client is told before it is cut off: a reason in MQTT 5, nothing in 3.1.1."""
    return [bytes((0xE0, 1, code))] if version == 5 else []


class Peer:
    """A socket that sends whole packets or any bytes, and reads whole packets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.wait_s = WAIT_S
        self.early: list[bytes] = []

    async def send(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))
        await self.writer.drain()

    async def read(self) -> bytes:
        """Return the next packet; empty when the listener has closed the connection."""
        try:
            return await asyncio.wait_for(self._read(), self.wait_s)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def _read(self) -> bytes:
        head = await self.reader.readexactly(2)
        length, shift, last = head[1] & 127, 7, head[1]
        while last & 128:
            last = (await self.reader.readexactly(1))[0]
            head += bytes([last])
            length |= (last & 127) << shift
            shift += 7
        return head + await self.reader.readexactly(length)

    async def hello(self, client_id: str = "raw", version: int = 5, **more: object) -> bytes:
        """Connect and return the CONNACK."""
        await self.send(connect(client_id, version, **more))  # type: ignore[arg-type]
        answer = await self.read()
        assert answer[:1] == b"\x20", answer
        return answer

    async def alive(self) -> bool:
        """Say whether the listener still answers a ping, ignoring whatever comes before."""
        try:
            await self.send(PINGREQ)
        except ConnectionError:
            return False
        while answer := await self.read():
            if answer == PINGRESP:
                return True
        return False

    async def gone(self) -> list[bytes]:
        """Return what the listener still says before it closes the connection."""
        said: list[bytes] = []
        while answer := await self.read():
            said.append(answer)
        return said

    def close(self) -> None:
        self.writer.close()


@dataclass
class House:
    """A started listener and everything it delivered."""

    listener: MqttListener
    batches: list[list[Message]] = field(default_factory=list[list[Message]])
    trouble: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    @property
    def messages(self) -> list[Message]:
        return [message for batch in self.batches for message in batch]

    async def peer(self) -> Peer:
        return Peer(*await asyncio.open_connection("127.0.0.1", self.listener.port))

    async def client(self, client_id: str = "raw", version: int = 5) -> Peer:
        peer = await self.peer()
        await peer.hello(client_id, version)
        return peer

    async def until(self, count: int) -> list[Message]:
        """Wait until so many messages were delivered."""
        await eventually(lambda: len(self.messages) >= count)
        return self.messages


async def eventually(condition: object, within_s: float = WAIT_S) -> None:
    """Wait until the condition holds, or fail."""
    deadline = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def house(
    limits: Limits = QUICK,
    deliver: object = None,
    identify: Identify = anybody,
    store: SessionStore | None = None,
) -> AsyncIterator[House]:
    """Yield a started listener on loopback; afterwards check that nothing went wrong or was left behind."""
    batches: list[list[Message]] = []

    async def keep(batch: list[Message]) -> None:
        batches.append(batch)

    listener = MqttListener(
        "127.0.0.1",
        0,
        deliver or keep,  # type: ignore[arg-type]
        now_ns=time.time_ns,
        limits=limits,
        identify=identify,
        store=store,
    )
    shelter = House(listener, batches)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: shelter.trouble.append(context))
    before = asyncio.all_tasks()
    await listener.start()
    try:
        yield shelter
    finally:
        await listener.close()
    assert not shelter.trouble, shelter.trouble
    assert listener.traffic().open == 0
    assert asyncio.all_tasks() <= before
