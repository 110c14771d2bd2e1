"""Lines: a transport that reads messages line by line from standard input, a pipe or a file."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import select
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from typing import Protocol, cast

from bimetal.nouns.errors import BadInput, Broken
from bimetal.wire.transport import Clock, Deliver, Message, Traffic

CHUNK_BYTES = 65_536
CLOSE_GRACE_S = 1.0
MOST_WATCHED = 1_000


class ByteStream(Protocol):
    """What lines are read from; `sys.stdin.buffer`, `open(path, "rb")` and `io.BytesIO` are such."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Return up to `size` bytes, none at all at the end."""
        ...


class LineTransport:
    """Deliver every line of a binary stream as one message, in order, without its line end.

    The stream is handed over unread, and is not closed. A line longer than `longest_line` bytes is
    counted as refused and skipped, so memory stays bounded; empty lines are skipped. All lines of a
    chunk of up to 64 KiB are one batch, and the next chunk is read only after `deliver` returned.
    """

    def __init__(
        self,
        stream: ByteStream,
        deliver: Deliver,
        *,
        now_ns: Clock,
        topic: str = "lines",
        client_id: str = "lines",
        longest_line: int = 1_048_576,
    ) -> None:
        self._stream = stream
        self._deliver = deliver
        self._now_ns = now_ns
        self._topic = topic
        self._client_id = client_id
        self._cutter = _Cutter(longest_line)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._done = asyncio.Event()
        self._failure: BaseException | None = None
        self._fd: int | None = None
        self._wake: tuple[int, int] | None = None
        self._under_way: Future[None] | None = None
        self._messages = self._bytes = self._failed = 0

    async def start(self) -> None:
        """Begin to read. Raises Broken when started twice."""
        if self._thread:
            raise Broken("this line transport was started already")
        self._loop = asyncio.get_running_loop()
        self._fd = _watchable(self._stream)
        self._wake = None if self._fd is None else os.pipe()
        # A daemon, so that a read that never returns cannot keep the process alive.
        self._thread = threading.Thread(target=self._read_all, name="bimetal-lines", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Stop reading; what was read is delivered first, within a second."""
        self._stop.set()
        if self._thread and not self._done.is_set():
            if self._wake:
                os.write(self._wake[1], b"x")
            if not await self._ended() and self._under_way:
                self._under_way.cancel()
                await self._ended()
        self._done.set()
        pair, self._wake = (None, self._wake) if self._reading() else (self._wake, None)
        for fd in pair or ():
            os.close(fd)

    async def finished(self) -> None:
        """Wait for the end of the stream, or for close; raises what `deliver` raised."""
        await self._done.wait()
        if self._failure:
            raise self._failure

    def traffic(self) -> Traffic:
        """Return how many lines and bytes were delivered, and how many lines were too long."""
        running = int(self._thread is not None and not self._done.is_set())
        return Traffic(
            messages=self._messages,
            bytes=self._bytes,
            open=running,
            connections=int(self._thread is not None),
            refused=self._cutter.refused,
            failed=self._failed,
        )

    def _read_all(self) -> None:
        loop = self._loop
        assert loop is not None
        try:
            while not self._stop.is_set() and (chunk := self._read_chunk()):
                self._hand_over(loop, list(self._cutter.cut(chunk)))
            if not self._stop.is_set():
                self._hand_over(loop, list(self._cutter.rest()))
        except CancelledError:  # by close, which waited long enough
            pass
        except BaseException as error:
            self._failure = error
        finally:
            with contextlib.suppress(RuntimeError):  # the loop may be gone by now
                loop.call_soon_threadsafe(self._done.set)

    def _read_chunk(self) -> bytes | None:
        try:
            if self._wake and self._fd is not None:
                ready, _, _ = select.select([self._fd, self._wake[0]], [], [])
                return None if self._wake[0] in ready else os.read(self._fd, CHUNK_BYTES)
            return getattr(self._stream, "read1", self._stream.read)(CHUNK_BYTES)
        except OSError as error:
            what = f"the stream cannot be read: {error.strerror or error}"
            raise BadInput(what, where=self._client_id) from None

    def _hand_over(self, loop: asyncio.AbstractEventLoop, lines: list[bytes]) -> None:
        if not lines:
            return
        now = self._now_ns()
        batch = [Message(self._topic, line, self._client_id, now, 1) for line in lines]
        try:
            self._under_way = asyncio.run_coroutine_threadsafe(_kept(self._deliver, batch), loop)
            self._under_way.result()
        except BaseException:
            self._failed += len(batch)
            raise
        self._messages += len(batch)
        self._bytes += sum(map(len, lines))

    def _reading(self) -> bool:
        return bool(self._thread and self._thread.is_alive())

    async def _ended(self) -> bool:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._done.wait(), CLOSE_GRACE_S)
        if self._done.is_set() and self._thread:
            self._thread.join(CLOSE_GRACE_S)  # it has only its return left to do
        return self._done.is_set()


class _Cutter:
    """Cuts chunks into lines, holding at most one line's bytes."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held = bytearray()
        self._skipping = False
        self.refused = 0

    def cut(self, chunk: bytes) -> Iterator[bytes]:
        first, *others = chunk.split(b"\n")
        if not others:
            self._hold(first)
            return
        self._hold(first)
        yield from self.rest()
        for line in others[:-1]:
            self._hold(line)
            yield from self.rest()
        self._hold(others[-1])

    def rest(self) -> Iterator[bytes]:
        line = bytes(self._held).removesuffix(b"\r")
        self._held.clear()
        if self._skipping or len(line) > self._longest:
            self.refused += 1
        elif line.strip():
            yield line
        self._skipping = False

    def _hold(self, part: bytes) -> None:
        if self._skipping or len(self._held) + len(part) > self._longest + 1:  # one for a \r
            self._skipping = True
            self._held.clear()
        else:
            self._held += part


async def _kept(deliver: Deliver, batch: list[Message]) -> None:
    await deliver(batch)


def _watchable(stream: ByteStream) -> int | None:
    """Return the number of a stream that this system can wait for together with a pipe, else None."""
    if sys.platform == "win32":
        return None
    try:
        number = cast(io.IOBase, stream).fileno()
        select.select([number], [], [], 0)
    except (AttributeError, OSError, ValueError):  # no file, or a number past what select can watch
        return None
    return number if number < MOST_WATCHED else None
