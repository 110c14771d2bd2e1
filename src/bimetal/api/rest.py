"""The REST door, version 1: what the page knows, for any program on this machine.

    GET  /api/v1/plant                         title, machines, signals, stage
    GET  /api/v1/devices                       one line for each machine
    GET  /api/v1/devices/{id}/readings         rows; ?since=NANOSECONDS or ISO time, ?limit=N
    GET  /api/v1/events                        alarms with their reasons; ?life=open
    GET  /api/v1/model                         the model's card, null while there is none
    GET  /api/v1/headroom                      which limit comes first, and when; null while not watched
    GET  /api/v1/health                        whether it runs, for how long, who listens
    POST /api/v1/events/{id}/acknowledge       mark an alarm as seen

An error is {"error": {"code", "sentence", "fix"}} with a fitting status.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bimetal import __version__
from bimetal.api import message
from bimetal.api.alarm import Life
from bimetal.api.live import Live
from bimetal.nouns.errors import BadInput, Broken, Error, NotFound

MOST_ROWS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def answer(body: message.Json, status: int = 200) -> Response:
    """Return the body as JSON that nobody keeps."""
    return Response(message.as_bytes(body), status, {"Cache-Control": "no-store"}, "application/json")


async def plant(request: Request) -> Response:
    """Answer with the plant."""
    return answer(message.plant(_live(request)))


async def devices(request: Request) -> Response:
    """Answer with one line for each machine."""
    live = _live(request)
    return answer({"devices": [message.device(live, d.id) for d in live.plant.devices]})


async def readings(request: Request) -> Response:
    """Answer with rows of one machine, oldest first, and where to go on."""
    live, name = _live(request), str(request.path_params["device"])
    since = _since(request.query_params.get("since"))
    (times, values), more = live.readings_after(name, since, _limit(request.query_params.get("limit")))
    body: message.Json = {
        "device": name,
        "signals": [{"name": s.name, "unit": s.unit} for s in live.plant.signals],
        "time_ns": times.tolist(),
        "values": values.tolist(),
        "next": str(int(times[-1])) if len(times) else (None if since is None else str(since)),
        "more": more,
    }
    return answer(body)


async def events(request: Request) -> Response:
    """Answer with the alarms, newest first."""
    wanted = request.query_params.get("life")
    if wanted is not None and wanted not in list(Life):
        raise BadInput(f"there is no life {wanted!a}", hint=f"Use one of {', '.join(Life)}")
    kept = [a for a in _live(request).alarms if wanted is None or a.life == wanted]
    kept.sort(key=lambda a: a.event.time_ns, reverse=True)
    return answer({"events": [message.event(a) for a in kept]})


async def model(request: Request) -> Response:
    """Answer with the model's card and what was counted."""
    live = _live(request)
    return answer({"model": message.model(live), "counters": message.counters(live)})


async def headroom(request: Request) -> Response:
    """Answer with how far the server is from its limits."""
    return answer({"headroom": message.headroom(_live(request))})


async def commits(request: Request) -> Response:
    """Answer with how long messages took from when they came until a power cut could not lose them."""
    return answer({"commits": message.commits(_live(request))})


async def health(request: Request) -> Response:
    """Answer whether everything runs."""
    live, state = _live(request), request.app.state
    return answer(
        {
            "status": "ok",
            "version": __version__,
            "uptime_s": time.monotonic() - state.started_s,
            "stage": live.stage.stage,
            "readings": live.counters.readings,
            "tabs": state.fanout.tabs,
        }
    )


async def acknowledge(request: Request) -> Response:
    """Mark an alarm as seen and answer with it."""
    alarm = _live(request).acknowledge(_number(str(request.path_params["event"])))
    return answer({"event": message.event(alarm)})


async def refuse(_request: Request, error: Exception) -> Response:
    """Answer any error with its code, a sentence and what to try."""
    if isinstance(error, HTTPException):
        error = _spoken(error)
    if not isinstance(error, Error):
        error = Broken("something broke in here", hint="Look at what the program wrote on its terminal")
    status, body = message.refusal(error)
    return answer(body, status)


def routes() -> list[Route]:
    """Return the routes of version 1."""
    table = {
        "plant": plant,
        "devices": devices,
        "devices/{device}/readings": readings,
        "events": events,
        "model": model,
        "headroom": headroom,
        "commits": commits,
        "health": health,
    }
    read = [Route(f"/api/v1/{path}", endpoint) for path, endpoint in table.items()]
    return [*read, Route("/api/v1/events/{event}/acknowledge", acknowledge, methods=["POST"])]


def _live(request: Request) -> Live:
    return request.app.state.fanout.live


def _spoken(error: HTTPException) -> Error:
    if error.status_code == 404:
        return NotFound("nothing is here", hint="The page is at /, the data under /api/v1/plant")
    return BadInput(f"that cannot be asked for here ({error.detail})", hint="Use GET, or POST to acknowledge")


def _since(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        if text.lstrip("-").isdecimal():
            return int(np.int64(int(text)))
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        raise BadInput(
            f"since={text[:40]!a} is no time", hint="Use 2026-01-31T12:00:00Z or nanoseconds since 1970"
        ) from None


def _limit(text: str | None) -> int:
    if text is None:
        return MOST_ROWS
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_ROWS:
        raise BadInput(f"limit={text[:40]!a} is no number of rows", hint=f"Use 1 to {MOST_ROWS}")
    return int(text)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise NotFound(f"no alarm has the id {text[:40]!a}", hint="List them with GET /api/v1/events")
    return int(text)
