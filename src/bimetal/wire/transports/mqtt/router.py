"""Router: who hears what, now or when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from bimetal.trust.identify import Identity
from bimetal.wire.transport import COMMANDS, Clock
from bimetal.wire.transports.mqtt.ledger import Ledger
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import (
    SHARE,
    Code,
    Filter,
    Granted,
    PacketType,
    Publish,
    Subscribe,
    Unsubscribe,
)
from bimetal.wire.transports.mqtt.record import Retained
from bimetal.wire.transports.mqtt.session import Session, Unwanted
from bimetal.wire.transports.mqtt.topic import RetainedMessages, SubscriptionTree, filter_fault, group_of

if TYPE_CHECKING:
    from bimetal.wire.transports.mqtt.connection import Connection


class Router:
    """Passes messages on to the sessions that asked for them; `dropped` is called for each that is lost.

    A subscriber who is not there gets what it asked for with QoS 1 or 2 when it comes back. Of those
    who share a subscription one gets each message: one who is there, where anybody is.
    """

    def __init__(
        self,
        sessions: Mapping[str, Session],
        ledger: Ledger,
        limits: Limits,
        now_ns: Clock,
        dropped: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._limits = limits
        self._now_ns = now_ns
        self._dropped = dropped
        self._tree = SubscriptionTree()
        self._retained = RetainedMessages(limits.retained_messages, limits.retained_bytes, ledger)

    def restore(self, sessions: Iterable[Session], retained: Iterable[Retained]) -> None:
        """Take over what was written down."""
        for session in sessions:
            for wanted in session.filters.values():
                self._tree.add(session.client_id, wanted)
        for kept in retained:
            self._retained.restore(kept)

    def subscribe(self, session: Session, packet: Subscribe) -> None:
        """Note what a client wants to hear, tell it so, and send it what was left under those topics."""
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
            session.record.filter(wanted)
            new = self._tree.add(session.client_id, wanted)
            if not wanted.pattern.startswith(SHARE) and (
                wanted.handling == 0 or (wanted.handling == 1 and new)
            ):
                fresh.append(wanted)
        granted = Granted(PacketType.SUBACK, packet.packet_id, tuple(codes))
        session.record.then(partial(self._granted, session, session.connection, granted, fresh))

    def unsubscribe(self, session: Session, packet: Unsubscribe) -> None:
        """Forget what a client no longer wants to hear, and tell it so."""
        codes: list[int] = []
        for pattern in packet.patterns:
            known = self._unheard(session, pattern)
            codes.append(Code.SUCCESS if known else Code.NO_SUBSCRIPTION)
        granted = Granted(PacketType.UNSUBACK, packet.packet_id, tuple(codes))
        session.record.then(partial(self._granted, session, session.connection, granted, ()))

    def resumed(self, session: Session) -> None:
        """Take away what a client that came back may no longer hear."""
        for pattern in list(session.filters):
            if _forbidden(session.identity, pattern):
                self._unheard(session, pattern)

    def forget(self, session: Session) -> None:
        """Forget a session that ends; what it shared and did not get goes to another."""
        for pattern in session.filters:
            self._tree.remove(session.client_id, pattern)
        for letter in list(session.undelivered()):
            group = self._tree.group(letter.share) if letter.share else None
            picked = group.pick(self._is_here, may_wait=True) if group else None
            if picked:
                self._send(picked[0], letter.publish, letter.share)

    def drop(self, unwanted: Unwanted) -> tuple[int, int]:
        """Forget messages that wait for a client, and that were left under a topic; returns how many."""
        waiting = sum(session.drop(unwanted) for session in self._sessions.values())
        return waiting, self._retained.drop(unwanted)

    def drop_filters(self, named: Callable[[bytes], bool]) -> None:
        """Forget the filters that name something."""
        for session in self._sessions.values():
            for pattern in [p for p in session.filters if named(p.encode())]:
                self._unheard(session, pattern)

    def take(self, publish: Publish, client_id: str, received_ns: int) -> None:
        """Leave a message under its topic if it asks for that, and pass it on."""
        if publish.retain and not self._retained.keep(publish, received_ns):
            self._dropped()
        if not self._tree:
            return
        found, groups = self._tree.hearers(publish.topic)
        for listener_id, wanted in found.items():
            if not (wanted.no_local and listener_id == client_id):
                retain = publish.retain and wanted.as_published
                self._send(listener_id, _outgoing(publish, wanted, retain))
        for group in groups:
            if picked := group.pick(self._is_here, may_wait=publish.qos > 0):
                listener_id, wanted = picked
                retain = publish.retain and wanted.as_published
                self._send(listener_id, _outgoing(publish, wanted, retain), wanted.pattern)

    def _unheard(self, session: Session, pattern: str) -> bool:
        """Forget a filter; say whether it was there."""
        if session.filters.pop(pattern, None):
            session.record.unfilter(pattern)
        return self._tree.remove(session.client_id, pattern)

    def _granted(
        self,
        session: Session,
        connection: Connection | None,
        granted: Granted,
        fresh: Iterable[Filter],
        failure: BaseException | None,
    ) -> None:
        """Tell the client on the connection on which it asked, unless it is gone or here anew."""
        if connection is None or session.connection is not connection:
            return
        if failure is not None:
            connection.end(Code.NOT_KEPT)
            return
        connection.reply(granted)
        for wanted in fresh:
            for publish in self._retained.matching(wanted.pattern, self._now_ns()):
                self._send(session.client_id, _outgoing(publish, wanted, retain=True))

    def _send(self, listener_id: str, publish: Publish, share: str = "") -> None:
        session = self._sessions[listener_id]
        connection = session.connection
        if publish.qos == 0:
            if connection:
                connection.send(publish)
            return
        if not session.queue(publish, self._now_ns(), share):
            self._dropped()
            if connection:
                connection.end(Code.QUOTA_EXCEEDED)
        elif connection:
            connection.send_queued()

    def _one_too_many(self, session: Session, wanted: Filter) -> Code | None:
        full = len(session.filters) >= self._limits.filters_per_client
        return Code.QUOTA_EXCEEDED if full and wanted.pattern not in session.filters else None

    def _is_here(self, client_id: str) -> bool:
        return self._sessions[client_id].connection is not None


def _forbidden(identity: Identity, pattern: str) -> Code | None:
    _, topics = group_of(pattern)
    own = identity.device is None or topics.startswith(f"{COMMANDS}{identity.device}/")
    return None if own else Code.NOT_AUTHORIZED


def _outgoing(publish: Publish, wanted: Filter, retain: bool) -> Publish:
    qos = min(publish.qos, wanted.qos)
    return publish._replace(
        qos=qos, retain=retain, duplicate=False, packet_id=0, alias=0, subscriptions=wanted.numbers
    )
