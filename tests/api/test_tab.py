"""The WebSocket of a tab: told everything, heard politely, never in the way of others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bimetal.api import Live, create_app, fanout, serving
from tests.api.plant import event, rows, small

ROOM_FOR_DETAIL = 4096


def play(live: Live, part: Callable[[str], Awaitable[None]]) -> None:
    """Serve the plant and play a part against the address of its socket."""

    async def inner() -> None:
        async with serving(create_app(live, tick_s=0.01), port=0) as url:
            await asyncio.wait_for(part(url.replace("http", "ws") + "/ws"), 20)

    asyncio.run(inner())


@contextlib.asynccontextmanager
async def greeted(url: str) -> AsyncIterator[ClientConnection]:
    """A tab that has heard its hello."""
    async with connect(url) as tab:
        assert json.loads(await tab.recv())["type"] == "hello"
        yield tab


async def next_of(tab: ClientConnection, kind: str) -> Any:
    """Wait for the next message of a kind, or the next frame."""
    while True:
        said = await tab.recv()
        if isinstance(said, bytes):
            if kind == "frame":
                return said
        elif (told := json.loads(said))["type"] == kind:
            return told


def test_hello_comes_first_then_readings_then_news() -> None:
    live = small()
    live.add_batch(rows(range(3), 1.0))

    async def part(url: str) -> None:
        async with greeted(url) as tab:
            assert (await next_of(tab, "frame"))[:2] == b"bm"
            live.add_event(event())
            assert (await next_of(tab, "event"))["event"]["device"] == "pump-1"
            live.set_stage("learning", 0.5)
            assert (await next_of(tab, "stage"))["stage"]["progress"] == 0.5
            live.set_plant("Other", [], [])
            assert (await next_of(tab, "hello"))["plant"]["title"] == "Other"

    play(live, part)


def test_a_wish_is_answered_with_detail() -> None:
    live = small()
    live.add_batch(rows(range(3), 1.0))

    async def part(url: str) -> None:
        async with greeted(url) as tab:
            await next_of(tab, "frame")
            await tab.send('{"device": "pump-1", "stretches": 10}')
            assert (await next_of(tab, "frame"))[17] == 1

    play(live, part)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", "bad_input"),
        ("null", "bad_input"),
        ("{", "bad_input"),
        ("[" * 2000, "bad_input"),
        ('{"device": 7}', "bad_input"),
        ('{"device": "pump-1", "stretches": 1e99}', "bad_input"),
        ('{"device": "pump-1", "drop": true}', "bad_input"),
        ('{"device": "pump-1", "device": "\\ud800"}', "bad_input"),
        (b"\xff\x00", "bad_input"),
        ('{"device": "pump-9"}', "not_found"),
        ('{"device": "\\u202e\\u0000"}', "not_found"),
    ],
)
def test_nonsense_is_answered_with_a_sentence(said: str | bytes, code: str) -> None:
    async def part(url: str) -> None:
        async with greeted(url) as tab:
            await tab.send(said)
            told = await next_of(tab, "error")
            assert told["error"]["code"] == code
            assert told["error"]["fix"]
            await tab.send('{"device": "pump-1"}')
            assert (await next_of(tab, "frame"))[:2] == b"bm"

    play(small(), part)


def test_a_message_too_long_ends_the_tab_and_no_other() -> None:
    live = small()

    async def part(url: str) -> None:
        async with greeted(url) as other, greeted(url) as tab:
            await tab.send("x" * (ROOM_FOR_DETAIL + 1))
            with pytest.raises(ConnectionClosed):
                await next_of(tab, "never")
            live.add_batch(rows([0], 1.0))
            assert await next_of(other, "frame")

    play(live, part)


def test_a_tab_that_reads_nothing_delays_nobody() -> None:
    live = small(rows=4000, window_s=10_000)

    async def part(url: str) -> None:
        port = int(url.split(":")[2].split("/")[0])
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", port))
        stuck.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        async with greeted(url) as tab:
            for second in range(60):
                live.add_event(event(at=second, since=second, sentence="long " * 20_000))
                live.add_batch(rows([second], 1.0))
                await asyncio.wait_for(next_of(tab, "frame"), 2)
        stuck.close()

    play(live, part)


def test_one_tab_too_many_is_asked_to_try_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "MOST_TABS", 3)

    async def part(url: str) -> None:
        async with contextlib.AsyncExitStack() as tabs:
            for _ in range(3):
                await tabs.enter_async_context(greeted(url))
            async with connect(url) as extra:
                with pytest.raises(ConnectionClosed) as closed:
                    await extra.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013

    play(small(), part)


def test_a_tab_that_leaves_is_forgotten() -> None:
    live = small()

    async def inner() -> int:
        app = create_app(live, tick_s=0.01)
        async with serving(app, port=0) as url:
            async with greeted(url.replace("http", "ws") + "/ws"):
                assert app.state.fanout.tabs == 1
            for _ in range(100):
                if not app.state.fanout.tabs:
                    break
                await asyncio.sleep(0.02)
            return app.state.fanout.tabs

    assert asyncio.run(inner()) == 0


def test_another_sites_page_gets_no_socket() -> None:
    async def part(url: str) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, origin="http://evil.example"):  # type: ignore[arg-type]
                pass
        assert refused.value.response.status_code == 403

    play(small(), part)
