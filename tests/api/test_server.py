"""Open the door, and close it at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time
import urllib.request

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bimetal.api import bind, create_app, serve, serving
from bimetal.nouns.errors import BadInput, NotAllowed
from tests.api.plant import event, small


def get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def test_it_serves_for_the_length_of_a_block() -> None:
    async def play() -> str:
        async with serving(create_app(small()), port=0) as url:
            told = await asyncio.to_thread(get, url + "/api/v1/health")
            assert told["status"] == "ok"
            return url

    url = asyncio.run(play())
    with pytest.raises(OSError, match="refused"):
        get(url + "/api/v1/health")


def test_a_port_in_use_is_one_sentence_and_nothing_has_run() -> None:
    with bind(port=0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"port {port} is in use") as said:
            asyncio.run(serve(create_app(small()), port=port))
        assert "--port 0" in str(said.value)

        async def play() -> None:
            async with serving(create_app(small()), port=port):
                pytest.fail("it opened")

        with pytest.raises(BadInput, match="is in use"):
            asyncio.run(play())


@pytest.mark.parametrize(("port", "word"), [(-1, "is no port"), (65536, "is no port")])
def test_a_port_that_is_none(port: int, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        bind(port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.invalid", "x" * 300])
def test_only_this_machine_may_look_in(host: str) -> None:
    with pytest.raises(NotAllowed, match="no login"):
        bind(host, 0)


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 300, "192.0.2.1"])
def test_an_address_this_machine_does_not_have(host: str) -> None:
    with pytest.raises(BadInput):
        bind(host, 0, beyond_loopback=True)


def test_a_door_beyond_loopback_has_to_be_asked_for() -> None:
    with bind("0.0.0.0", 0, beyond_loopback=True) as listening:
        assert listening.getsockname()[0] == "0.0.0.0"


def test_a_socket_taken_early_is_used() -> None:
    async def play() -> None:
        listening = bind(port=0)
        async with serving(create_app(small()), sock=listening) as url:
            assert url == f"http://127.0.0.1:{listening.getsockname()[1]}"
            await asyncio.to_thread(get, url + "/api/v1/plant")

    asyncio.run(play())


def test_an_address_of_version_six_is_written_in_brackets() -> None:
    try:
        listening = bind("::1", 0)
    except BadInput:
        pytest.skip("this machine has no IPv6 loopback")

    async def play() -> None:
        async with serving(create_app(small()), sock=listening) as url:
            assert url.startswith("http://[::1]:")
            await asyncio.to_thread(get, url + "/api/v1/plant")

    asyncio.run(play())


async def read_on(tab: ClientConnection) -> int | None:
    """Read until the tab is closed; return the code it was closed with."""
    with contextlib.suppress(ConnectionClosed):
        async for _ in tab:
            pass
    return tab.close_code


def test_it_stops_at_once_with_tabs_open_and_one_stuck() -> None:
    async def play() -> float:
        live = small()
        opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(create_app(live, tick_s=0.01), port=0, opened=opened.set_result))
        url = await opened
        port = int(url.rsplit(":", 1)[1])
        stuck = socket.create_connection(("127.0.0.1", port))
        stuck.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        async with connect(f"ws://127.0.0.1:{port}/ws") as tab:
            reading = asyncio.create_task(read_on(tab))
            for second in range(200):
                live.add_event(event(at=second, since=second, sentence="long " * 20_000))
                await asyncio.sleep(0.005)
            start = time.monotonic()
            task.cancel()
            await asyncio.wait({task}, timeout=10)
            took = time.monotonic() - start
            assert await asyncio.wait_for(reading, 5) in (1001, 1006, 1012)
        assert task.cancelled()
        stuck.close()
        return took

    assert asyncio.run(play()) < 3


def test_the_signals_of_the_process_are_left_alone() -> None:
    async def play() -> None:
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        async with serving(create_app(small()), port=0):
            assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before

    asyncio.run(play())


def test_it_can_be_opened_again_after_it_closed() -> None:
    async def play() -> None:
        app = create_app(small())
        for _ in range(2):
            port = 0
            async with serving(app, port=port) as url:
                port = int(url.rsplit(":", 1)[1])
                await asyncio.to_thread(get, url + "/api/v1/health")

    asyncio.run(play())
