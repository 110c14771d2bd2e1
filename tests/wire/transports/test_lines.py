"""Lines come out as they went in, from a pipe that stays open as well as from a file."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns.errors import BadInput, Broken
from bimetal.wire.transport import Message
from bimetal.wire.transports.lines import ByteStream, LineTransport
from tests.wire.transports.mqtt_peer import eventually


def read_all(stream: ByteStream, **more: int) -> tuple[list[Message], LineTransport]:
    """Read a stream to its end and return what was delivered."""
    found: list[Message] = []

    async def keep(batch: list[Message]) -> None:
        found.extend(batch)

    async def walk() -> LineTransport:
        transport = LineTransport(stream, keep, now_ns=lambda: 5, topic="t", client_id="c", **more)
        await transport.start()
        await asyncio.wait_for(transport.finished(), 10)
        await transport.close()
        return transport

    return found, asyncio.run(walk())


def payloads(stream: ByteStream, **more: int) -> list[bytes]:
    return [message.payload for message in read_all(stream, **more)[0]]


@pytest.mark.parametrize("make", [io.BytesIO, lambda raw: Chunks(raw, 3)], ids=["whole", "three bytes"])
@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"", []),
        (b"\n\n  \n\r\n", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb", [b"a", b"b"]),
        (b"no end", [b"no end"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"\xff\x00\n\xef\xbb\xbfx\n", [b"\xff\x00", b"\xef\xbb\xbfx"]),
    ],
)
def test_lines_are_what_lies_between_line_ends(
    make: Callable[[bytes], ByteStream], raw: bytes, lines: list[bytes]
) -> None:
    assert payloads(make(raw)) == lines


class Chunks:
    """A stream that gives a few bytes at a time."""

    def __init__(self, raw: bytes, size: int) -> None:
        self._inner, self._size = io.BytesIO(raw), size

    def read(self, size: int = -1, /) -> bytes:
        return self._inner.read(self._size)


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_any_bytes_in_any_pieces(parts: list[bytes], size: int) -> None:
    raw = b"\n".join(parts)
    wanted = [line.removesuffix(b"\r") for line in raw.split(b"\n")]
    assert payloads(Chunks(raw, size)) == [line for line in wanted if line.strip()]


def test_a_line_says_where_it_came_from() -> None:
    [message], transport = read_all(io.BytesIO(b"x\n"))
    assert message == Message("t", b"x", "c", 5, 1)
    traffic = transport.traffic()
    assert (traffic.messages, traffic.bytes, traffic.open, traffic.connections) == (1, 1, 0, 1)


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_a_line_too_long_is_skipped_and_counted(size: int) -> None:
    raw = b"ok\n" + b"x" * 51 + b"\n" + b"y" * 50 + b"\n" + b"z" * 5_000
    found, transport = read_all(Chunks(raw, size), longest_line=50)
    assert [message.payload for message in found] == [b"ok", b"y" * 50]
    assert transport.traffic().refused == 2


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(50_000)))
    with path.open("rb") as stream:
        found = payloads(stream)
    assert found == [b"line %d" % number for number in range(50_000)]


def test_a_pipe_is_read_as_it_fills_and_left_when_closed() -> None:
    async def walk() -> None:
        found: list[bytes] = []

        async def keep(batch: list[Message]) -> None:
            found.extend(message.payload for message in batch)

        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as stream:
            transport = LineTransport(stream, keep, now_ns=time.time_ns)
            await transport.start()
            os.write(writer, b"one\ntwo\nthr")
            await eventually(lambda: found == [b"one", b"two"])
            os.write(writer, b"ee\n")
            await eventually(lambda: found[-1] == b"three")
            before = threading.active_count()
            began = time.monotonic()
            await transport.close()
            assert time.monotonic() - began < 0.5
            assert threading.active_count() == before - 1
            await transport.close()
            await transport.finished()
            os.close(writer)

    asyncio.run(walk())


def test_the_next_lines_wait_until_these_are_kept() -> None:
    async def walk() -> None:
        go_on, seen = asyncio.Event(), 0

        async def slow(batch: list[Message]) -> None:
            nonlocal seen
            seen += len(batch)
            await go_on.wait()

        stream = io.BytesIO(b"x\n" * 200_000)
        transport = LineTransport(stream, slow, now_ns=time.time_ns)
        await transport.start()
        await eventually(lambda: seen > 0)
        await asyncio.sleep(0.02)
        assert seen < 40_000
        assert stream.tell() < 100_000
        go_on.set()
        await asyncio.wait_for(transport.finished(), 20)
        assert seen == 200_000
        await transport.close()

    asyncio.run(walk())


def test_what_deliver_raises_ends_it_and_is_raised() -> None:
    async def walk() -> None:
        async def broken(batch: list[Message]) -> None:
            raise OSError("disk full")

        transport = LineTransport(io.BytesIO(b"a\nb\n"), broken, now_ns=time.time_ns)
        await transport.start()
        with pytest.raises(OSError, match="disk full"):
            await asyncio.wait_for(transport.finished(), 5)
        assert (transport.traffic().messages, transport.traffic().failed) == (0, 2)
        await transport.close()

    asyncio.run(walk())


def test_a_stream_that_cannot_be_read_is_bad_input() -> None:
    class Torn:
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    async def walk() -> None:
        async def keep(batch: list[Message]) -> None: ...

        transport = LineTransport(Torn(), keep, now_ns=time.time_ns, client_id="sdcard.csv")
        await transport.start()
        with pytest.raises(BadInput, match=r"sdcard\.csv: the stream cannot be read: Input/output error\."):
            await asyncio.wait_for(transport.finished(), 5)
        await transport.close()

    asyncio.run(walk())


def test_it_starts_once_and_closes_without_having_started() -> None:
    async def walk() -> None:
        async def keep(batch: list[Message]) -> None: ...

        never = LineTransport(io.BytesIO(b""), keep, now_ns=time.time_ns)
        await never.close()
        once = LineTransport(io.BytesIO(b""), keep, now_ns=time.time_ns)
        await once.start()
        with pytest.raises(Broken):
            await once.start()
        await once.close()

    asyncio.run(walk())
