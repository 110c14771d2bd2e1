"""Jet: what is asked of a NATS JetStream server (2.11 or newer), over the requests of its public API.

Requests are sent again until the server answers, for servers change places and restart: each of them may
be sent twice, for it reads, or carries an identity by which the second is known. Priority groups and
reading many messages at once are in no client library yet, so all of it is spelled here, in JSON.
API: https://docs.nats.io/reference/reference-protocols/nats_api_reference and ADR-31, ADR-42.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import msgspec

from bimetal.nouns.errors import BadInput, Error, NotAllowed, Unsupported

MESSAGE_ID = "Nats-Msg-Id"
EXPECTED = "Nats-Expected-Last-Subject-Sequence"
PIN = "Nats-Pin-Id"
FIRST_S = 10.0
_SEQUENCE, _BEFORE, _STATUS = "Nats-Sequence", "Nats-Last-Sequence", "Status"

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
"""What OpenSSL calls an answer in the clear: the latter from 3.3 on."""
_NO_MESSAGE, _NO_STREAM, _NO_CONSUMER = 10037, 10059, 10014
_WRONG_LAST = (10071, 10164)
_ASK_AGAIN = (503,)
"""A server that has no leader yet, or is not ready, says so with this code."""


class Msg(Protocol):
    """A message as nats-py hands it out."""

    subject: str
    reply: str
    data: bytes
    headers: Mapping[str, str] | None


class Subscription(Protocol):
    """A subscription as nats-py hands it out."""

    async def unsubscribe(self) -> None:
        """End it."""
        ...


class Wire(Protocol):
    """The part of a nats-py client that is used."""

    @property
    def max_payload(self) -> int:
        """The most bytes that the server takes in one message."""
        ...

    async def request(
        self, subject: str, payload: bytes = b"", timeout: float = 1, *, headers: dict[str, str] | None = None
    ) -> Msg:
        """Send a message and wait for the answer."""
        ...

    async def publish(
        self, subject: str, payload: bytes = b"", reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Send a message."""
        ...

    async def subscribe(
        self, subject: str, *, cb: Callable[[Any], Awaitable[None]] | None = None
    ) -> Subscription:
        """Hear what comes under a subject."""
        ...

    def new_inbox(self) -> str:
        """Return a subject that is nobody else's."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class Conflict(Exception):
    """Somebody else wrote under this subject since it was last read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it lies in a stream."""

    sequence: int
    data: bytes


class _Fault(msgspec.Struct):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _Held(msgspec.Struct):
    seq: int
    data: str = ""


class _Delivered(msgspec.Struct):
    stream_seq: int = 0


class _Answer(msgspec.Struct):
    error: _Fault | None = None
    delivered: _Delivered = msgspec.field(default_factory=_Delivered)
    seq: int = 0
    message: _Held | None = None
    config: dict[str, Any] = {}
    streams: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Jet:
    """JetStream over one connection; `failures` are what it raises when the server is away."""

    wire: Wire
    failures: tuple[type[Exception], ...] = ()
    patience_s: float = 30.0
    attempt_s: float = 5.0
    _decoder: msgspec.json.Decoder[_Answer] = field(
        default_factory=lambda: msgspec.json.Decoder(_Answer), repr=False, compare=False
    )

    async def stream(self, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """Make a stream unless there is one of that name; returns the configuration it has."""
        answer = await self._ask(f"STREAM.INFO.{name}")
        if answer.error and answer.error.err_code == _NO_STREAM:
            answer = await self._ask(f"STREAM.CREATE.{name}", {"name": name, **config})
        return _good(answer, name).config

    async def consumer(self, stream: str, name: str, config: Mapping[str, Any]) -> None:
        """Make a consumer with one filter unless there is one of that name."""
        answer = await self._ask(f"CONSUMER.INFO.{stream}.{name}")
        if answer.error and answer.error.err_code == _NO_CONSUMER:
            asked = {"stream_name": stream, "action": "", "config": {"durable_name": name, **config}}
            answer = await self._ask(f"CONSUMER.CREATE.{stream}.{name}.{config['filter_subject']}", asked)
        _good(answer, name)

    async def delivered(self, stream: str, consumer: str) -> int:
        """Return the number of the last message that a consumer has delivered to anybody, 0 for none."""
        return _good(await self._ask(f"CONSUMER.INFO.{stream}.{consumer}"), consumer).delivered.stream_seq

    async def put(
        self, subject: str, payload: bytes, message_id: str = "", expected: int | None = None
    ) -> int:
        """Store a message; returns its sequence number once the server has it safe.

        `expected` is the number of the last message under the subject, as far as known (0: none):
        raises Conflict when it is another, unless it is this very message, stored when it was asked for
        before. Raises Unsupported when the message is too long.
        """
        if len(payload) > self.wire.max_payload:
            raise Unsupported(
                f"a message of {len(payload):,} bytes is longer than the {self.wire.max_payload:,} this "
                "server takes",
                where=subject,
                hint="Raise max_payload in its configuration (up to 64MB), or use more shards",
            )
        headers = {MESSAGE_ID: message_id} if message_id else {}
        if expected is not None:
            headers[EXPECTED] = str(expected)
        answer = await self._request(subject, payload, headers)
        if answer.error and answer.error.err_code in _WRONG_LAST:
            # The server looks at the number before it looks whether it has the message already.
            there = await self.last(await self._holder(subject), subject)
            if there and there.data == payload and there.sequence > (expected or 0):
                return there.sequence
            raise Conflict(answer.error.description)
        return _good(answer, subject).seq

    async def last(self, stream: str, subject: str) -> Stored | None:
        """Return the last message under a subject, as the stream's leader knows it; None where is none."""
        answer = await self._ask(f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject})
        if answer.error and answer.error.err_code in (_NO_MESSAGE, _NO_STREAM):
            return None
        held = _good(answer, stream).message
        return None if held is None else Stored(held.seq, base64.b64decode(held.data))

    async def _holder(self, subject: str) -> str:
        """Return the stream that keeps what is stored under a subject."""
        names = _good(await self._ask("STREAM.NAMES", {"subject": subject}), subject).streams
        return names[0] if names else ""

    async def read(self, stream: str, subject: str, first: int, most: int) -> list[Stored]:
        """Return messages under a subject from a number on, in order, none left out; at most so many.

        Any replica may answer, so the newest may be missing.
        """
        asked = {"seq": first, "batch": most, "next_by_subj": subject, "max_bytes": 64 << 20}
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        inbox = self.wire.new_inbox()
        heard = await self.wire.subscribe(inbox, cb=arrived.put)
        try:
            await self._send(f"$JS.API.DIRECT.GET.{stream}", asked, inbox)
            return await self._collect(arrived)
        finally:
            await heard.unsubscribe()

    async def pull(self, stream: str, consumer: str, asked: Mapping[str, Any], inbox: str) -> None:
        """Ask a consumer for messages, which come to the inbox."""
        await self._send(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", asked, inbox)

    async def acknowledge(self, reply: str) -> None:
        """Acknowledge a message by where it wants its answer; a lost one only makes it come again."""
        await self._publish(reply, b"+ACK")

    async def unpin(self, stream: str, consumer: str, group: str) -> None:
        """Let another client have a consumer."""
        await self._ask(f"CONSUMER.UNPIN.{stream}.{consumer}", {"group": group})

    async def _collect(self, arrived: asyncio.Queue[Msg]) -> list[Stored]:
        found: list[Stored] = []
        try:
            while True:
                msg = await asyncio.wait_for(arrived.get(), self.attempt_s)
                headers = msg.headers or {}
                if _STATUS in headers:
                    return found
                before = int(headers.get(_BEFORE, 0))
                if found and before != found[-1].sequence:
                    return found
                found.append(Stored(int(headers[_SEQUENCE]), msg.data))
        except TimeoutError:
            return found

    async def _ask(self, api: str, body: Mapping[str, Any] | None = None) -> _Answer:
        return await self._request(f"$JS.API.{api}", b"" if body is None else msgspec.json.encode(body), {})

    async def _request(self, subject: str, payload: bytes, headers: dict[str, str]) -> _Answer:
        until = asyncio.get_running_loop().time() + self.patience_s
        pause_s, said = 0.02, ""
        while asyncio.get_running_loop().time() < until:
            try:
                msg = await self.wire.request(
                    subject, payload, timeout=self.attempt_s, headers=headers or None
                )
                answer = self._decoder.decode(msg.data)
                if not (answer.error and answer.error.code in _ASK_AGAIN):
                    return answer
                said = answer.error.description
            except (TimeoutError, *self.failures) as error:
                said = str(error) or type(error).__name__
            except msgspec.MsgspecError as error:
                raise BadInput(f"the answer is none of JetStream: {error}", where=subject) from None
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 1.0)
        raise _away(said, self.patience_s, subject)

    async def _send(self, subject: str, body: Mapping[str, Any], reply: str) -> None:
        await self._publish(subject, msgspec.json.encode(body), reply)

    async def _publish(self, subject: str, payload: bytes, reply: str = "") -> None:
        until = asyncio.get_running_loop().time() + self.patience_s
        while True:
            try:
                return await self.wire.publish(subject, payload, reply)
            except self.failures as error:
                if asyncio.get_running_loop().time() > until:
                    raise _away(str(error), self.patience_s, subject) from None
            await asyncio.sleep(0.1)


async def connect(
    servers: list[str],
    credentials: str = "",
    patience_s: float = 30.0,
    tls: ssl.SSLContext | None = None,
) -> Jet:
    """Connect with nats-py; `credentials` is a file of the server's operator.

    With `tls`, only to servers whose certificate it takes. Raises Unsupported without nats-py, BadInput
    when no server answers, NotAllowed when one is not who it should be, or refuses us.
    """
    try:
        client, errors = import_module("nats"), import_module("nats.errors")
    except ImportError:
        raise Unsupported(
            "talking to NATS needs the package nats-py", hint="pip install 'bimetal[cluster]'"
        ) from None
    heard: list[Exception] = []

    async def note(error: Exception) -> None:
        # Of one that is lost later nothing is said: what was asked is asked again, and says so if that fails.
        if wire is None:
            heard.append(error)

    wire: Wire | None = None
    given: dict[str, Any] = {"user_credentials": credentials} if credentials else {}
    if tls:
        # Before the server has said anything: or one that says it has no TLS would be talked to without.
        given |= {"tls": tls, "tls_handshake_first": True}
    options = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.2, "error_cb": note, **given}
    try:
        # Once connected it comes back by itself, however long that takes; the first time it must not.
        wire = await _within(FIRST_S, client.connect(servers=servers, **options))
    except (errors.Error, OSError, ValueError, TimeoutError) as error:
        raise _refused(servers, [*heard, error], tls is not None) from None
    return Jet(wire, (errors.Error, OSError), patience_s)


async def _within(seconds: float, connecting: Awaitable[Wire]) -> Wire:
    """Return the connection; raises TimeoutError when there is none in time."""
    task = asyncio.ensure_future(connecting)
    try:
        if not (await asyncio.wait({task}, timeout=seconds))[0]:
            raise TimeoutError
        return task.result()
    finally:
        # It may miss being called off, just as something else that it waits for within a time ends.
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)


def _refused(servers: Sequence[str], heard: Sequence[Exception], secure: bool) -> Error:
    """Return what kept us from all of these servers, the most telling of what was heard."""
    where = ", ".join(servers)
    for error in reversed(heard):
        if isinstance(error, ssl.SSLCertVerificationError):
            said = error.verify_message.rstrip(".").lower()
            hint = "Name it as its certificate does, and give the authority of its fleet with --tls-ca"
            if "expired" in said:
                hint = "Make it another one: bimetal certify --member"
            return NotAllowed(f"the server is not who it should be: {said}", where=where, hint=hint)
        if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
            hint = "Give it --tls-cert, --tls-key and --tls-ca: see bimetal cluster --help"
            return NotAllowed("the server speaks no TLS", where=where, hint=hint)
        if isinstance(error, ssl.SSLError):
            reason = (error.reason or "it broke off").replace("_", " ").lower()
            hint = "Give a certificate of this fleet that still holds: --tls-cert and --tls-key"
            return NotAllowed(f"no secure connection comes about: {reason}", where=where, hint=hint)
        if "authorization" in str(error).lower() or "authentication" in str(error).lower():
            return NotAllowed("the server lets nobody in with these credentials", where=where)
    said = next((str(e) for e in reversed(heard) if str(e)), "") or f"for {FIRST_S:g} s"
    hint = "Start one with JetStream, or name others with --cluster"
    if not secure:
        hint += "; one that speaks TLS needs --tls-ca, --tls-cert and --tls-key"
    return BadInput(f"no NATS server answers there ({said})", where=where, hint=hint)


def _away(said: str, patience_s: float, where: str) -> Unsupported:
    return Unsupported(
        f"the NATS server did not answer for {patience_s:g} s ({said})",
        where=where,
        hint="Is JetStream on, and are most servers of the cluster up?",
    )


def _good(answer: _Answer, where: str) -> _Answer:
    if answer.error:
        raise Unsupported(
            f"JetStream refused this: {answer.error.description} ({answer.error.err_code})",
            where=where,
            hint="It must be nats-server 2.11 or newer",
        )
    return answer
