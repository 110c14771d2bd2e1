"""What stands in the doorway: whom a request may come from, and what a browser may do with the answer.

There is no login on loopback, so the browser itself must not be turned against its owner:
a name that is not loopback is refused (DNS rebinding), another site's page may neither read
nor change anything (its Origin differs), and the page runs only scripts from here.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bimetal.api.message import refusal
from bimetal.api.rest import answer
from bimetal.nouns.errors import Error, NotAllowed
from bimetal.trust.tls import is_loopback

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SAFE = ("GET", "HEAD")


class Guard:
    """Refuses foreign hosts and origins, and puts the security headers on every answer.

    `hosts` are further names this door answers to, beside the loopback ones.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = frozenset(h.lower() for h in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with headers on its answer, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            self._check(scope)
        except Error as error:
            await _turn_away(error, scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._ours(host):
            raise NotAllowed(
                f"this door does not answer to the name {host[:80]!a}", hint="Use http://127.0.0.1"
            )
        origin = headers.get("origin")
        if scope["type"] == "websocket" or scope["method"] not in _SAFE:
            if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
                raise NotAllowed(
                    f"a page from {origin[:80]!a} may not do this", hint="Open the page from here"
                )
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                raise NotAllowed("another site's page may not do this", hint="Open the page from here")
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            raise NotAllowed("another site's page may not read this", hint="Open the page from here")

    def _ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return is_loopback(name) or name in self.hosts


async def _turn_away(error: Error, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.what[:100]})
        return
    status, body = refusal(error)
    await answer(body, status)(scope, receive, send)
