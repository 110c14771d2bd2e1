"""Roster: the sessions of all clients, those who are there and those who asked to be remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bimetal.trust.identify import Identity
from bimetal.wire.transport import Clock
from bimetal.wire.transports.mqtt.ledger import Ledger
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import Code, Connect, Publish
from bimetal.wire.transports.mqtt.record import Record, Remembered, Retained
from bimetal.wire.transports.mqtt.router import Router
from bimetal.wire.transports.mqtt.session import Purse, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from bimetal.wire.transports.mqtt.connection import Connection

_NS = 1_000_000_000


class Roster:
    """Opens sessions, takes up those that were left, and ends them when their time is over.

    `speak` is called with the will of a client that did not come back in time.
    """

    def __init__(
        self,
        sessions: dict[str, Session],
        router: Router,
        ledger: Ledger,
        limits: Limits,
        now_ns: Clock,
        speak: Callable[[Publish, str], None],
    ) -> None:
        self._sessions = sessions
        self._router = router
        self._ledger = ledger
        self._limits = limits
        self._now_ns = now_ns
        self._speak = speak
        self._purse = Purse(limits.remembered_bytes)
        self._endings: dict[str, asyncio.TimerHandle] = {}
        self._wills: dict[str, tuple[Publish, asyncio.TimerHandle]] = {}

    def restore(self, clients: Mapping[str, Remembered], retained: Iterable[Retained]) -> None:
        """Take over what was written down; who was there when the server went is gone since now."""
        now_ns = self._now_ns()
        away_s: dict[str, float] = {}
        for client_id, held in clients.items():
            gone_ns = held.terms.gone_ns or now_ns
            away_s[client_id] = max(0, now_ns - gone_ns) / _NS
            self._new(client_id, held.terms.owner, remembered=True).restore(held, gone_ns)
        self._router.restore(self._sessions.values(), retained)
        for session in list(self._sessions.values()):
            left_s = session.remember_s - away_s[session.client_id]
            if left_s > 0:
                self._end_in(session, left_s)
            else:
                self.end(session)

    def open(
        self, connection: Connection, connect: Connect, client_id: str, owner: str, identity: Identity
    ) -> tuple[Session, bool]:
        """Return the session of a client that introduces itself, and whether it was remembered."""
        known = self._sessions.get(client_id)
        here = known is not None and known.connection is not None
        present = (
            known is not None
            and not connect.clean
            and known.owner == owner
            and not (here and known.remember_s == 0)
        )
        remember_s = min(connect.remember_s, self._limits.remember_s)
        if known and present:
            session = known
        else:
            if known:
                self.end(known)
            full = len(self._endings) >= self._limits.remembered_sessions
            remember_s = 0 if full else remember_s
            session = self._new(client_id, owner, remembered=remember_s > 0)
        self._stay(client_id)
        session.attach(connection, connect, identity, remember_s)
        self._router.resumed(session)
        return session, present

    def left(self, session: Session, will: Publish | None, will_delay_s: int) -> None:
        """Note that a client is gone, with its will if it did not say good-bye."""
        delay_s = min(will_delay_s, session.remember_s)
        session.detach(self._now_ns())
        if will and not delay_s:
            self._speak(will, session.client_id)
        elif will:
            timer = asyncio.get_running_loop().call_later(delay_s, self._say_will, session.client_id)
            self._wills[session.client_id] = will, timer
        if session.remember_s:
            self._end_in(session, session.remember_s)
        else:
            self.end(session)

    def end(self, session: Session) -> None:
        """Forget a session for good."""
        client_id = session.client_id
        self._say_will(client_id)
        self._stay(client_id)
        if self._sessions.get(client_id) is session:
            self._router.forget(session)
            del self._sessions[client_id]
            session.connection = None
            session.end()

    def expel(self, session: Session) -> None:
        """Forget a session for good, and cut its client off; its will is not said."""
        if waiting := self._wills.pop(session.client_id, None):
            waiting[1].cancel()
        if connection := session.connection:
            connection.will = None
            connection.end(Code.NOT_AUTHORIZED)
        self.end(session)

    def drop_wills(self, named: Callable[[Publish], bool]) -> int:
        """Forget the wills that name something; returns how many."""
        waiting = [client_id for client_id, (will, _) in self._wills.items() if named(will)]
        for client_id in waiting:
            self._wills.pop(client_id)[1].cancel()
        here = [c for s in self._sessions.values() if (c := s.connection) and c.will and named(c.will)]
        for connection in here:
            connection.will = None
        return len(waiting) + len(here)

    def close(self) -> None:
        """End no more sessions: they are remembered from now on."""
        for client_id in [*self._endings, *self._wills]:
            self._stay(client_id)

    def _new(self, client_id: str, owner: str, remembered: bool) -> Session:
        record = Record(self._ledger, client_id, remembered)
        session = Session(client_id, owner, record, self._limits, self._purse)
        self._sessions[client_id] = session
        return session

    def _end_in(self, session: Session, left_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._endings[session.client_id] = loop.call_later(left_s, self.end, session)

    def _stay(self, client_id: str) -> None:
        ending, will = self._endings.pop(client_id, None), self._wills.pop(client_id, None)
        if ending:
            ending.cancel()
        if will:
            will[1].cancel()

    def _say_will(self, client_id: str) -> None:
        will = self._wills.pop(client_id, None)
        if will:
            will[1].cancel()
            self._speak(will[0], client_id)
