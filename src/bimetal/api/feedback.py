"""Feedback by REST: what somebody says of an alarm or a sensor on the page, handed to who keeps the model.

    POST /api/v1/events/{id}/feedback?verdict=fault|not+a+fault&name=...&everywhere=yes

The alarm is marked as seen. The answer is the event, and in words what came of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bimetal.api import message, rest
from bimetal.api.live import Live
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Event

VERDICTS = ("fault", "not a fault")
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said of an alarm: a verdict of VERDICTS, what they call it, and whether it is for all."""

    event: Event
    verdict: str
    name: str
    everywhere: bool


Judge = Callable[[Said], str]
"""Lets the model know, and says in words what came of it; slow, so it is called in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """The door for what people say of alarms; one at a time, for each makes a new model."""

    judge: Judge
    turn: asyncio.Lock

    def route(self) -> Route:
        """Return where it comes in."""
        return Route("/api/v1/events/{event}/feedback", self.take, methods=["POST"])

    async def take(self, request: Request) -> Response:
        """Hand on what was said, and answer when the model knows it."""
        live: Live = request.app.state.fanout.live
        number = str(request.path_params["event"])
        # What is no number is the number of no alarm.
        known = number.isascii() and number.isdecimal() and len(number) <= 12
        alarm = live.alarms.find(int(number) if known else -1)
        verdict, name = (request.query_params.get(word, "") for word in ("verdict", "name"))
        if verdict not in VERDICTS:
            raise BadInput(f"there is no verdict {verdict[:40]!a}", hint=f"Use one of {', '.join(VERDICTS)}")
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise BadInput(f"a name has at most {LONGEST_NAME} printable characters")
        everywhere = request.query_params.get("everywhere") == "yes"
        async with self.turn:
            words = await asyncio.to_thread(self.judge, Said(alarm.event, verdict, name, everywhere))
        return rest.answer({"event": message.event(live.acknowledge(alarm.id)), "words": words})
