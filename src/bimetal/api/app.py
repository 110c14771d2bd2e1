"""The app: page, REST and WebSocket behind one guard."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Collection
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute

from bimetal.api import rest, tab
from bimetal.api.asset import AssetShelf, page_folder
from bimetal.api.fanout import Fanout
from bimetal.api.feedback import Feedback, Judge
from bimetal.api.guard import Guard
from bimetal.api.intake import Intake
from bimetal.api.live import Live
from bimetal.nouns.errors import Error


def create_app(
    live: Live,
    *,
    hosts: Collection[str] = (),
    page: Path | None = None,
    tick_s: float = 0.1,
    intake: Intake | None = None,
    judge: Judge | None = None,
) -> Starlette:
    """Return the ASGI app that shows this live view.

    `hosts` are names it answers to beside the loopback ones, `page` another folder with the
    page's files, `tick_s` the time between frames, `intake` the way in for readings (None: there is
    none), `judge` what people say of alarms is handed to. Raises Broken when the page's files are missing.
    """
    shelf = AssetShelf(page or page_folder())
    fanout = Fanout(live, tick_s)
    ways_in = [intake.route()] if intake else []
    ways_in += [Feedback(judge, asyncio.Lock()).route()] if judge else []

    @contextlib.asynccontextmanager
    async def beating(app: Starlette) -> AsyncGenerator[None, None]:
        app.state.started_s = time.monotonic()
        pulse = asyncio.create_task(fanout.run())
        app.state.pulse = pulse
        yield
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)

    app = Starlette(
        routes=[*ways_in, *shelf.routes(), *rest.routes(), WebSocketRoute("/ws", tab.follow)],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={Error: rest.refuse, HTTPException: rest.refuse, Exception: rest.refuse},
        lifespan=beating,
    )
    app.state.fanout = fanout
    app.state.started_s = time.monotonic()
    return app
