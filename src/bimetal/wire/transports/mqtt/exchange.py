"""Exchange: the clients of one listener, what they say, and who hears it."""

from __future__ import annotations

from bimetal.nouns.errors import NotAllowed
from bimetal.trust.identify import Claim, Identify, Identity
from bimetal.trust.tls import Peer
from bimetal.wire.format import FORMATS
from bimetal.wire.transport import COMMANDS, READINGS, Clock, Deliver, Message, Traffic
from bimetal.wire.transports.mqtt.connection import Connection
from bimetal.wire.transports.mqtt.delivery import Arrival, Delivery
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import (
    Code,
    Connect,
    Filter,
    Granted,
    Malformed,
    PacketType,
    Publish,
    Subscribe,
    Unsubscribe,
)
from bimetal.wire.transports.mqtt.session import Session
from bimetal.wire.transports.mqtt.topic import RetainedMessages, SubscriptionTree, filter_fault

LONGEST_ID = 256


class Exchange:
    """Admits clients, delivers their messages in batches, passes those on to subscribers.

    A message goes to subscribers, and its sender gets its acknowledgement, once it was kept.
    """

    def __init__(self, deliver: Deliver, now_ns: Clock, limits: Limits, identify: Identify) -> None:
        self.limits = limits
        self._identify = identify
        self.failure: BaseException | None = None
        self._now_ns = now_ns
        self._delivery = Delivery(deliver, self._settle, limits)
        self._connections: set[Connection] = set()
        self._held: set[Connection] = set()
        self._clients: dict[str, Connection] = {}
        self._tree = SubscriptionTree()
        self._retained = RetainedMessages(limits.retained_messages, limits.retained_bytes)
        self._closing = False
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

    async def close(self) -> None:
        """Take no more, deliver and acknowledge what waits, then end every connection."""
        self._closing = True
        for connection in self._connections:
            connection.hold(True)
        await self._delivery.close()
        for connection in list(self._connections):
            connection.end(Code.SHUTTING_DOWN)

    # What connections report

    def opened(self, connection: Connection) -> bool:
        """Count a new connection; False if there are too many."""
        self._connections.add(connection)
        self._ever += 1
        return not self._closing and len(self._connections) <= self.limits.connections

    def admit(self, connection: Connection, connect: Connect) -> Session:
        """Return a new session for the client; one with its name that is connected has to go.

        This is the one place where a client's identity is decided. Raises Malformed.
        """
        if len(connect.client_id) > LONGEST_ID:
            raise Malformed("the client identifier is too long", Code.CLIENT_ID_NOT_VALID)
        client_id = connect.client_id or self._new_name()
        identity, connection.claim = self._identified(connect, client_id, connection.certificate)
        earlier = self._clients.get(client_id)
        if earlier:
            self._forget(earlier)
            earlier.end(Code.TAKEN_OVER)
        self._clients[client_id] = connection
        return Session(connect, client_id, identity, self.limits)

    def check_again(self) -> None:
        """Disconnect the clients whose claims no longer hold."""
        for connection in list(self._clients.values()):
            claim = connection.claim
            try:
                if claim is not None:
                    self._identify(claim)
            except NotAllowed:
                connection.end(Code.NOT_AUTHORIZED)

    def arrived(self, connection: Connection, publish: Publish) -> None:
        """Take a message into the next batch, and stop reading where too much waits."""
        if self._closing or not connection.session:
            return
        if not _may_publish(connection.session.identity, publish.topic):
            raise Malformed("a device may only publish its own readings", Code.NOT_AUTHORIZED)
        self._add(publish, connection.session.client_id, connection)
        if self._delivery.full:
            self._held.add(connection)
            connection.hold(True)

    def subscribe(self, connection: Connection, packet: Subscribe) -> None:
        """Note what a client wants to hear, tell it so, and send it what was left under those topics."""
        session = connection.session
        assert session
        codes: list[int] = []
        fresh: list[Filter] = []
        for wanted in packet.filters:
            fault = (
                filter_fault(wanted.pattern)
                or _forbidden(session.identity, wanted.pattern)
                or self._one_too_many(session, wanted)
            )
            codes.append(wanted.qos if fault is None else fault)
            if fault is not None:
                continue
            session.filters[wanted.pattern] = wanted
            new = self._tree.add(session.client_id, wanted)
            if wanted.handling == 0 or (wanted.handling == 1 and new):
                fresh.append(wanted)
        connection.reply(Granted(PacketType.SUBACK, packet.packet_id, tuple(codes)))
        for wanted in fresh:
            for publish in self._retained.matching(wanted.pattern, self._now_ns()):
                connection.send(_outgoing(publish, wanted, retain=True))

    def unsubscribe(self, connection: Connection, packet: Unsubscribe) -> Granted:
        """Forget what a client no longer wants to hear; return the answer."""
        session = connection.session
        assert session
        codes: list[int] = []
        for pattern in packet.patterns:
            session.filters.pop(pattern, None)
            known = self._tree.remove(session.client_id, pattern)
            codes.append(Code.SUCCESS if known else Code.NO_SUBSCRIPTION)
        return Granted(PacketType.UNSUBACK, packet.packet_id, tuple(codes))

    def refused(self) -> None:
        """Count something that broke a rule or a limit."""
        self._refused += 1

    def dropped(self) -> None:
        """Count a message that a subscriber was too slow or too small for."""
        self._dropped += 1

    def left(self, connection: Connection) -> None:
        """Forget a connection; if it did not say good-bye, its will is published."""
        self._connections.discard(connection)
        self._held.discard(connection)
        session = connection.session
        if not session:
            return
        if self._clients.get(session.client_id) is connection:
            self._forget(connection)
        if session.will and not self._closing:
            self._add(session.will, session.client_id, None)

    # Within

    def _add(self, publish: Publish, client_id: str, sender: Connection | None) -> None:
        kind = publish.extras.content_type if publish.extras else None
        message = Message(publish.topic, publish.payload, client_id, self._now_ns(), publish.qos, kind or "")
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
        senders: set[Connection] = set()
        for _, publish, sender in batch:
            self._messages += 1
            self._bytes += len(publish.payload)
            if sender:
                sender.settle(publish)
                senders.add(sender)
        for sender in senders:
            sender.flush()
        for message, publish, _ in batch:
            if publish.retain and not self._retained.keep(publish, message.received_ns):
                self._dropped += 1
            if self._tree:
                self._pass_on(publish, message.client_id)

    def _lost(self, batch: list[Arrival], failure: BaseException) -> None:
        self.failure = failure
        self._failed += len(batch)
        for sender in {arrival.sender for arrival in batch if arrival.sender}:
            sender.end(Code.NOT_KEPT)

    def _pass_on(self, publish: Publish, client_id: str) -> None:
        for listener_id, wanted in self._tree.match(publish.topic).items():
            if not (wanted.no_local and listener_id == client_id):
                retain = publish.retain and wanted.as_published
                self._clients[listener_id].send(_outgoing(publish, wanted, retain))

    def _identified(
        self, connect: Connect, client_id: str, certificate: Peer | None
    ) -> tuple[Identity, Claim]:
        name = connect.username if connect.username is not None else client_id
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

    def _one_too_many(self, session: Session, wanted: Filter) -> Code | None:
        full = len(session.filters) >= self.limits.filters_per_client
        return Code.QUOTA_EXCEEDED if full and wanted.pattern not in session.filters else None

    def _forget(self, connection: Connection) -> None:
        session = connection.session
        if session:
            for pattern in session.filters:
                self._tree.remove(session.client_id, pattern)
            session.filters.clear()
            self._clients.pop(session.client_id, None)

    def _new_name(self) -> str:
        while True:
            self._named += 1
            name = f"unnamed-{self._named}"
            if name not in self._clients:
                return name


def _may_publish(identity: Identity, topic: str) -> bool:
    own = f"{READINGS}{identity.device}"
    start, _, named = topic.rpartition("/")
    return identity.device is None or topic == own or (start == own and named in FORMATS)


def _forbidden(identity: Identity, pattern: str) -> Code | None:
    own = identity.device is None or pattern.startswith(f"{COMMANDS}{identity.device}/")
    return None if own else Code.NOT_AUTHORIZED


def _outgoing(publish: Publish, wanted: Filter, retain: bool) -> Publish:
    qos = min(publish.qos, wanted.qos)
    return publish._replace(
        qos=qos, retain=retain, duplicate=False, packet_id=0, alias=0, subscriptions=wanted.numbers
    )
