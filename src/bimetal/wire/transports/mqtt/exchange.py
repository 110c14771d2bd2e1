"""Exchange: the clients of one listener, what they say, and who hears it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import msgspec

from bimetal.nouns.errors import NotAllowed
from bimetal.trust.identify import Claim, Identify, Identity
from bimetal.trust.tls import Peer
from bimetal.wire.format import FORMATS
from bimetal.wire.transport import READINGS, Clock, Deliver, Message, Traffic
from bimetal.wire.transports.mqtt.connection import Connection
from bimetal.wire.transports.mqtt.delivery import Arrival, Delivery
from bimetal.wire.transports.mqtt.ledger import Ledger, SessionStore
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import Code, Connect, Malformed, Publish
from bimetal.wire.transports.mqtt.record import read_notes
from bimetal.wire.transports.mqtt.roster import Roster
from bimetal.wire.transports.mqtt.router import Router
from bimetal.wire.transports.mqtt.session import Session

LONGEST_ID = 256

Named: TypeAlias = Callable[[bytes], bool]
"""Whether bytes name a device."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a listener forgot of a device: its sessions, wills, messages for others, and left under topics."""

    sessions: int
    wills: int
    waiting: int
    retained: int


class Exchange:
    """Admits clients, delivers their messages in batches, passes those on to subscribers.

    A message goes to subscribers once it was kept, and its sender gets its acknowledgement when it is
    also written down for those who are to hear it later.
    """

    def __init__(
        self,
        deliver: Deliver,
        now_ns: Clock,
        limits: Limits,
        identify: Identify,
        store: SessionStore | None = None,
    ) -> None:
        self.limits = limits
        self._identify = identify
        self.failure: BaseException | None = None
        self.now_ns = now_ns
        self._delivery = Delivery(deliver, self._settle, limits)
        self._connections: set[Connection] = set()
        self._held: set[Connection] = set()
        self._sessions: dict[str, Session] = {}
        self._ledger = Ledger(store)
        self.router = Router(self._sessions, self._ledger, limits, now_ns, self.dropped)
        self._roster = Roster(self._sessions, self.router, self._ledger, limits, now_ns, self._add_will)
        self._closing = False
        self._barred: dict[str, Named] = {}
        self._named = 0
        self._messages = self._bytes = self._ever = self._refused = self._dropped = self._failed = 0

    def traffic(self) -> Traffic:
        """Return the counters as they stand."""
        return Traffic(
            messages=self._messages,
            bytes=self._bytes,
            open=len(self._connections),
            connections=self._ever,
            refused=self._refused,
            dropped=self._dropped,
            failed=self._failed,
        )

    async def restore(self) -> None:
        """Take up what was remembered when the listener was last closed, or killed."""
        self._roster.restore(*read_notes((await self._ledger.load()).items()))

    async def close(self) -> None:
        """Take no more, deliver and acknowledge what waits, then end every connection."""
        self._closing = True
        for connection in self._connections:
            connection.hold(True)
        await self._delivery.close()
        await self._ledger.flush()
        for connection in list(self._connections):
            connection.end(Code.SHUTTING_DOWN)

    async def finish(self) -> None:
        """Write down what is left, when every connection is gone."""
        self._roster.close()
        await self._ledger.flush()

    async def erase(self, device: str, named: Named) -> Forgotten:
        """Forget a device: cut it off, and drop what names it wherever that waits, here and written down.

        What others publish about it meanwhile is refused, until `admit_again`.
        """

        def unwanted(publish: Publish, _since_ns: int = 0) -> bool:
            return named(msgspec.msgpack.encode(publish))

        self._barred[device] = named
        own = [s for s in self._sessions.values() if device in (s.client_id, s.owner)]
        for session in own:
            self._roster.expel(session)
        wills = self._roster.drop_wills(unwanted)
        for _, publish, sender in await self._delivery.drop(lambda arrival: unwanted(arrival.publish)):
            if sender:
                sender.unsettle(publish)
                sender.end(Code.NOT_KEPT)
        self.router.drop_filters(named)
        waiting, retained = self.router.drop(unwanted)
        await self._ledger.flush()
        return Forgotten(len(own), wills, waiting, retained)

    def admit_again(self, device: str) -> None:
        """Let in again what was barred while it was erased."""
        self._barred.pop(device, None)

    async def forget_before(self, oldest_ns: int) -> int:
        """Forget readings that wait, or were left under a topic, since before; returns how many."""

        def over(publish: Publish, since_ns: int) -> bool:
            return since_ns < oldest_ns and publish.topic.startswith(READINGS)

        gone = self.router.drop(over)
        await self._ledger.flush()
        return sum(gone)

    # What connections report

    def opened(self, connection: Connection) -> bool:
        """Count a new connection; False if there are too many."""
        self._connections.add(connection)
        self._ever += 1
        return not self._closing and len(self._connections) <= self.limits.connections

    def admit(self, connection: Connection, connect: Connect) -> tuple[Session, bool]:
        """Return the client's session, and whether it was remembered; who has its name has to go.

        This is the one place where a client's identity is decided. Raises Malformed.
        """
        if len(connect.client_id) > LONGEST_ID:
            raise Malformed("the client identifier is too long", Code.CLIENT_ID_NOT_VALID)
        client_id = connect.client_id or self._new_name()
        identity, claim = self._identified(connect, client_id, connection.certificate)
        connection.claim = claim
        earlier = self._sessions.get(client_id)
        before = earlier.connection if earlier else None
        opened = self._roster.open(connection, connect, client_id, claim.name, identity)
        if before:
            before.end(Code.TAKEN_OVER)
        return opened

    def check_again(self) -> None:
        """Disconnect the clients whose claims no longer hold."""
        for session in list(self._sessions.values()):
            connection = session.connection
            if not connection or connection.claim is None:
                continue
            try:
                self._identify(connection.claim)
            except NotAllowed:
                session.remember_s = 0
                connection.end(Code.NOT_AUTHORIZED)

    def arrived(self, connection: Connection, publish: Publish) -> None:
        """Take a message into the next batch, and stop reading where too much waits."""
        if self._closing or not connection.session:
            return
        if not _may_publish(connection.session.identity, publish.topic):
            raise Malformed("a device may only publish its own readings", Code.NOT_AUTHORIZED)
        if self._barred and any(named(publish.topic.encode()) for named in self._barred.values()):
            raise Malformed("this device is being erased", Code.NOT_KEPT)
        self._add(publish, connection.session.client_id, connection)
        if self._delivery.full:
            self._held.add(connection)
            connection.hold(True)

    def refused(self) -> None:
        """Count something that broke a rule or a limit."""
        self._refused += 1

    def dropped(self) -> None:
        """Count a message that a subscriber was too slow, too small or too long away for."""
        self._dropped += 1

    def left(self, connection: Connection) -> None:
        """Forget a connection; if it did not say good-bye, its will is published."""
        self._connections.discard(connection)
        self._held.discard(connection)
        session = connection.session
        if not session:
            return
        will = None if self._closing else connection.will
        if session.connection is connection:
            self._roster.left(session, will, connection.will_delay_s)
        elif will and not (connection.will_delay_s and session.connection):
            self._add_will(will, session.client_id)

    def _add_will(self, will: Publish, client_id: str) -> None:
        self._add(will, client_id, None)

    def _add(self, publish: Publish, client_id: str, sender: Connection | None) -> None:
        kind = publish.extras.content_type if publish.extras else None
        message = Message(publish.topic, publish.payload, client_id, self.now_ns(), publish.qos, kind or "")
        self._delivery.add(Arrival(message, publish, sender))

    def _settle(self, batch: list[Arrival], failure: BaseException | None) -> None:
        if failure is None:
            self._kept(batch)
        else:
            self._lost(batch, failure)
        if not self._delivery.full and not self._closing:
            held, self._held = self._held, set()
            for connection in held:
                connection.hold(False)

    def _kept(self, batch: list[Arrival]) -> None:
        for message, publish, sender in batch:
            if publish.qos == 2 and sender and sender.session:
                sender.session.record.received(publish.packet_id)
            self.router.take(publish, message.client_id, message.received_ns)
        self._ledger.then(partial(self._acknowledge, batch))

    def _acknowledge(self, batch: list[Arrival], failure: BaseException | None) -> None:
        if failure is not None:
            self._lost(batch, failure)
            return
        senders: set[Connection] = set()
        for _, publish, sender in batch:
            self._messages += 1
            self._bytes += len(publish.payload)
            if sender:
                senders.add(sender.settle(publish))
        for sender in senders:
            sender.flush()

    def _lost(self, batch: list[Arrival], failure: BaseException) -> None:
        self.failure = failure
        self._failed += len(batch)
        for _, publish, sender in batch:
            if sender:
                sender.unsettle(publish)
                sender.end(Code.NOT_KEPT)

    def _identified(
        self, connect: Connect, client_id: str, certificate: Peer | None
    ) -> tuple[Identity, Claim]:
        name = connect.username if connect.username is not None else client_id
        if client_id in self._barred or name in self._barred:
            raise Malformed("this device is being erased", Code.NOT_AUTHORIZED)
        claim = Claim(name, connect.password or b"", certificate)
        try:
            identity = self._identify(claim)
        except NotAllowed as error:
            raise Malformed(error.what, Code.NOT_AUTHORIZED) from None
        if connect.will and not _may_publish(identity, connect.will.topic):
            raise Malformed("a device's will may only be about itself", Code.NOT_AUTHORIZED)
        if not identity.may_speak_for(client_id):
            raise Malformed("a device's client identifier is its name", Code.CLIENT_ID_NOT_VALID)
        return identity, claim

    def _new_name(self) -> str:
        while True:
            self._named += 1
            name = f"unnamed-{self._named}"
            if name not in self._sessions:
                return name


def _may_publish(identity: Identity, topic: str) -> bool:
    own = f"{READINGS}{identity.device}"
    if identity.device is None or topic == own:
        return True
    start, _, named = topic.rpartition("/")
    return start == own and named in FORMATS
