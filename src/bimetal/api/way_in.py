"""Way in: the app that others can reach. Readings go in; nothing comes out, and no browser is let near.

The page has no login, so it stays on loopback; behind this door there is only `intake`.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from bimetal.api import rest
from bimetal.api.intake import Intake
from bimetal.api.message import refusal
from bimetal.nouns.errors import Error, NotAllowed

_OF_BROWSERS = (b"origin", b"sec-fetch-site")


def create_way_in(intake: Intake) -> Starlette:
    """Return the ASGI app of a door for devices alone."""
    return Starlette(
        routes=[intake.route()],
        middleware=[Middleware(_DevicesOnly)],
        exception_handlers={Error: rest.refuse, HTTPException: rest.refuse, Exception: rest.refuse},
    )


class _DevicesOnly:
    """Refuses what a browser sends: a page elsewhere could make one show its owner's certificate."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(name in _OF_BROWSERS for name, _ in scope["headers"]):
            status, body = refusal(NotAllowed("this door is for devices, not for browsers"))
            await rest.answer(body, status)(scope, receive, send)
        elif scope["type"] != "websocket":
            await self.app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})
