"""Ask an ASGI app without a network: one request in, one answer out."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import ASGIApp


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(app: ASGIApp, path: str, method: str = "GET", **headers: str) -> Answer:
    """Send one request; header names are written with underscores."""
    return asyncio.run(_ask(app, path, method, {k.replace("_", "-"): v for k, v in headers.items()}))


async def _ask(app: ASGIApp, path: str, method: str, headers: dict[str, str]) -> Answer:
    sent = {"host": "127.0.0.1:8765"} | headers
    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(where),
        "raw_path": quote(where, safe="/%").encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in sent.items() if v],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8765),
    }
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    await app(scope, receive, send)
    start = next(m for m in told if m["type"] == "http.response.start")
    body = b"".join(m.get("body", b"") for m in told if m["type"] == "http.response.body")
    return Answer(start["status"], {k.decode(): v.decode("latin-1") for k, v in start["headers"]}, body)
