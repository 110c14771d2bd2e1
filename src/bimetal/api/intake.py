"""Intake: readings by HTTP, kept before they are answered for.

POST /api/v1/devices/{device}/readings     what a device would publish over MQTT; the content type
                                           says in which format, as wire/format.py has them

200 {"kept": readings}                      durable
400 what cannot be read, and why            nothing of it was kept
401 a token is missing or wrong             Authorization: Bearer TOKEN, or the device's certificate
413 too large    429 too much at once       Retry-After says when
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bimetal.api.peer import certificate_of
from bimetal.api.rest import answer, refuse
from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput, NotAllowed
from bimetal.spine import Heard
from bimetal.trust.identify import Claim, Identify
from bimetal.wire.codec import LARGEST_PAYLOAD
from bimetal.wire.transport import READINGS, Clock, Message

Hear: TypeAlias = Callable[[list[Message]], Awaitable[Heard]]
"""Takes messages in; returning means durable, raising means not kept."""

MOST_AT_ONCE = 64
RETRY_AFTER_S = 1


class Intake:
    """The way in by HTTP: identifies the sender, hands the message on, and says what became of it.

    At most MOST_AT_ONCE are under way; whoever comes then is `turned_away`, and told when to come again.
    """

    def __init__(
        self,
        hear: Hear,
        identify: Identify,
        now_ns: Clock,
        turned_away: Callable[[], None] = lambda: None,
    ) -> None:
        self._hear = hear
        self._identify = identify
        self._now_ns = now_ns
        self._turned_away = turned_away
        self._under_way = 0

    def route(self) -> Route:
        """Return the route it answers under."""
        return Route("/api/v1/devices/{device}/readings", self.take, methods=["POST"])

    async def take(self, request: Request) -> Response:
        """Take one message in, and answer when it is durable."""
        if self._under_way >= MOST_AT_ONCE:
            self._turned_away()
            return _later("too much arrives at once")
        self._under_way += 1
        try:
            return await self._taken(request)
        finally:
            self._under_way -= 1

    async def _taken(self, request: Request) -> Response:
        device = check_device_id(str(request.path_params["device"]))
        claim = Claim(device, _token(request), certificate_of(request.scope))
        if stranger := await self._stranger(request, claim):
            return stranger
        payload = await _body(request)
        if payload is None:
            return _refused(413, "bad_input", "It is too large.", _SPLIT)
        if stranger := await self._stranger(request, claim):  # a body may take long
            return stranger
        kind = request.headers.get("content-type", "")
        heard = await self._hear([Message(READINGS + device, payload, "http", self._now_ns(), 1, kind)])
        if heard.poison:
            raise BadInput(heard.poison[0].reason, hint='Send {"ts": milliseconds, "signal": number, ...}')
        return answer({"kept": heard.kept.readings})

    async def _stranger(self, request: Request, claim: Claim) -> Response | None:
        """Return the answer to somebody who is not who it says; raises NotAllowed for another's readings."""
        try:
            identity = self._identify(claim)
        except NotAllowed as error:
            refused = await refuse(request, error)
            refused.status_code = 401
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        if not identity.may_speak_for(claim.name):
            raise NotAllowed(f"you may not speak for {claim.name!a}")
        return None


_SPLIT = f"Send at most {LARGEST_PAYLOAD >> 20} MB in one request."


def _token(request: Request) -> bytes:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip().encode() if scheme.lower() == "bearer" else b""


async def _body(request: Request) -> bytes | None:
    """Return the body; None when it is larger than a payload may be."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_PAYLOAD:
            return None
        parts.append(part)
    return b"".join(parts)


def _later(why: str) -> Response:
    refused = _refused(429, "too_busy", f"{why.capitalize()}.", "Send it again later.")
    refused.headers["Retry-After"] = str(RETRY_AFTER_S)
    return refused


def _refused(status: int, code: str, sentence: str, fix: str) -> Response:
    return answer({"error": {"code": code, "sentence": sentence, "fix": fix}}, status)
