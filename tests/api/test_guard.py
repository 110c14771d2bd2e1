"""The doorway: foreign names, foreign pages, and what a browser is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette

from bimetal.api import create_app
from bimetal.api.guard import HEADERS
from tests.api.asgi import ask
from tests.api.plant import event, small

OURS = "http://127.0.0.1:8765"


@pytest.fixture
def app() -> Starlette:
    live = small()
    live.add_event(event())
    return create_app(live)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765", "127.9.9.9", "a.localhost"]
)
def test_loopback_names_are_ours(app: Starlette, host: str) -> None:
    assert ask(app, "/api/v1/health", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1:8765", "", "[::1", "[::2]",
     "localhost@evil.example", "0.0.0.0", "2130706433", "evil.example:127.0.0.1", "\xff"],
)  # fmt: skip
def test_other_names_are_refused(app: Starlette, host: str) -> None:
    answer = ask(app, "/api/v1/plant", host=host)
    assert answer.status == 403
    assert answer.json["error"]["code"] == "not_allowed"


def test_further_names_can_be_allowed() -> None:
    app = create_app(small(), hosts=["Plant.example"])
    assert ask(app, "/api/v1/plant", host="plant.example:80").status == 200
    assert ask(app, "/api/v1/plant", host="other.example").status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": OURS}, 200),
        ({"origin": OURS, "sec_fetch_site": "same-origin"}, 200),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "http://localhost:8765"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"origin": "http://127.0.0.1:8765@evil.example"}, 403),
    ],
)
def test_only_our_own_page_may_change_anything(app: Starlette, headers: dict[str, str], status: int) -> None:
    answer = ask(app, "/api/v1/events/1/acknowledge", "POST", **headers)
    assert answer.status == status
    seen = ask(app, "/api/v1/events").json["events"][0]["acknowledged"]
    assert seen is (status == 200)


def test_another_page_may_not_read_but_may_link(app: Starlette) -> None:
    assert ask(app, "/api/v1/plant", sec_fetch_site="cross-site", sec_fetch_mode="no-cors").status == 403
    assert ask(app, "/", sec_fetch_site="cross-site", sec_fetch_mode="navigate").status == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/plant", "/nothing", "/favicon.ico"])
def test_every_answer_carries_the_headers(app: Starlette, path: str) -> None:
    for answer in (ask(app, path), ask(app, path, host="evil.example")):
        assert {k: answer.headers.get(k.lower()) for k in HEADERS} == HEADERS
        assert "access-control-allow-origin" not in answer.headers


def test_the_policy_lets_nothing_in_that_is_not_ours(app: Starlette) -> None:
    policy = ask(app, "/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';")
    assert "require-trusted-types-for 'script'" in policy
    for word in ("unsafe-inline", "unsafe-eval' ", "http:", "https:", "*"):
        assert word not in policy.replace("'wasm-unsafe-eval'", "")


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ([(b"host", b"127.0.0.1:8765"), (b"origin", b"http://127.0.0.1:8765")], "websocket.accept"),
        ([(b"host", b"127.0.0.1:8765")], "websocket.accept"),
        ([(b"host", b"127.0.0.1:8765"), (b"origin", b"http://evil.example")], "websocket.close"),
        ([(b"host", b"evil.example"), (b"origin", b"http://evil.example")], "websocket.close"),
        ([(b"host", b"127.0.0.1:8765"), (b"origin", b"null")], "websocket.close"),
    ],
)
def test_a_socket_is_only_for_our_own_page(
    app: Starlette, headers: list[tuple[bytes, bytes]], answer: str
) -> None:
    assert asyncio.run(first_answer(app, headers)) == answer


async def first_answer(app: Starlette, headers: list[tuple[bytes, bytes]]) -> str:
    """Open a socket, leave at once, and return the first thing that was said."""
    scope = {"type": "websocket", "path": "/ws", "raw_path": b"/ws", "query_string": b"", "root_path": "",
             "headers": headers, "subprotocols": [], "scheme": "ws", "asgi": {"version": "3.0"}}  # fmt: skip
    heard = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])
    told: list[str] = []

    async def receive() -> dict[str, Any]:
        return next(heard)

    async def send(message: Any) -> None:
        told.append(message["type"])

    await app(scope, receive, send)
    return told[0]
