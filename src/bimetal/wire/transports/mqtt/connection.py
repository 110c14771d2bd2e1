"""Connection: one client's socket, from its first byte to its last."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, cast

from bimetal.wire.transports.mqtt.codec5 import Codec5
from bimetal.wire.transports.mqtt.codec311 import Codec311
from bimetal.wire.transports.mqtt.field import acknowledgement
from bimetal.wire.transports.mqtt.intake import Intake
from bimetal.wire.transports.mqtt.packet import (
    Acknowledge,
    Code,
    Codec,
    Connack,
    Connect,
    Disconnect,
    Granted,
    Malformed,
    Outgoing,
    PacketType,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
)
from bimetal.wire.transports.mqtt.session import Session

if TYPE_CHECKING:
    from bimetal.trust.identify import Claim
    from bimetal.trust.tls import Peer
    from bimetal.wire.transports.mqtt.exchange import Exchange

_NAME = b"\x00\x04MQTT"
_OLD_NAME = b"\x00\x06MQIsdp"


class Connection(asyncio.Protocol):
    """Reads packets, answers those that concern the connection itself, passes on the rest.

    Whatever a client does wrong ends this connection and no other, with the reason where its
    version of MQTT can carry one.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.session: Session | None = None
        self.certificate: Peer | None = None
        self.claim: Claim | None = None
        self.will: Publish | None = None
        self.will_delay_s = 0
        self._exchange = exchange
        self._limits = exchange.limits
        self._loop = asyncio.get_running_loop()
        self._codec: Codec = Codec311()
        self._timer: asyncio.TimerHandle | None = None
        self._keep_alive_s = 0.0
        self._begun = self._ending = False
        self._aliases: dict[int, str] = {}
        self._arriving: set[int] = set()
        self._answers = bytearray()

    # The socket speaks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, and give the client a little time to introduce itself."""
        self._transport = cast(asyncio.Transport, transport)
        self.certificate = cast("Peer | None", transport.get_extra_info("peercert"))
        self._transport.set_write_buffer_limits(high=self._limits.unread_bytes)
        self._intake = Intake(self._transport, self._limits, self._receive, self._refuse)
        if self._exchange.opened(self):
            self._timer = self._loop.call_later(self._limits.connect_timeout_s, self._too_quiet)
        else:
            self._exchange.refused()
            self.end()

    def data_received(self, data: bytes) -> None:
        """Read the packets that are complete by now; who does not begin with CONNECT is not waited for."""
        if not self._begun and data[0] >> 4 != PacketType.CONNECT:
            self._refuse(Malformed("the first packet is not CONNECT", Code.PROTOCOL_ERROR))
        self._begun = True
        self._intake.feed(data)

    def pause_writing(self) -> None:
        """The client does not read: neither do we, and what may be lost is not sent."""
        self._intake.writable = False

    def resume_writing(self) -> None:
        """The client reads again."""
        self._intake.writable = True
        self.send_queued()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, however it came."""
        self._ending = True
        self._intake.part()
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._exchange.left(self)

    # The listener speaks

    def end(self, code: Code | None = None) -> None:
        """Close this connection, with the reason if the client can be told."""
        if self._ending:
            return
        if code is not None and self.session:
            self._write(Disconnect(code))
        self._ending = True
        self._intake.stop()
        self._transport.close()
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._limits.close_grace_s, self._transport.abort)

    def hold(self, held: bool) -> None:
        """Stop reading from this client until told otherwise, or read on."""
        self._intake.hold(held)

    def settle(self, publish: Publish) -> Connection:
        """Note that a message was kept; return whose next `flush` says so: the client may be here anew."""
        self._intake.waiting -= 1
        if not publish.qos or not self.session:
            return self
        self._arriving.discard(publish.packet_id)
        if publish.qos == 1:
            self._answers += acknowledgement(PacketType.PUBACK, publish.packet_id)
            return self
        self.session.received.add(publish.packet_id)
        asking = self.session.arriving.pop(publish.packet_id, self)
        asking._answers += acknowledgement(PacketType.PUBREC, publish.packet_id)
        return asking

    def unsettle(self, publish: Publish) -> None:
        """Note that a message was not kept, and is to be sent again."""
        if publish.qos == 2 and self.session:
            self.session.arriving.pop(publish.packet_id, None)

    def flush(self) -> None:
        """Send the acknowledgements that have gathered, and read on if reading was stopped."""
        answers, self._answers = bytes(self._answers), bytearray()
        if answers and not self._ending:
            self._transport.write(answers)
        self._intake.balance()

    def send(self, publish: Publish) -> None:
        """Send a message that may be lost, and is lost where the client does not read."""
        if not self._ending and not (self._intake.writable and self._write(publish)):
            self._exchange.dropped()

    def send_queued(self) -> None:
        """Send what is queued for the client, as far as it takes that now."""
        if self._ending or not self._intake.writable or not self.session:
            return
        for packet in self.session.due(self._exchange.now_ns()):
            if not self._write(packet) and isinstance(packet, Publish):
                self.session.unsent(packet.packet_id)
                self._exchange.dropped()

    def reply(self, packet: Granted) -> None:
        """Send the answer to a subscription."""
        self._write(packet)

    # Packets

    def _receive(self, first: int, body: bytes) -> None:
        if self.session is None:
            self._introduce(first, body)
            return
        if first >> 4 == PacketType.CONNECT:
            raise Malformed("a client introduces itself twice", Code.PROTOCOL_ERROR)
        packet = self._codec.decode(first, body)
        match packet:
            case Publish():
                self._publish(self.session, packet)
            case Acknowledge():
                self._answered(self.session, packet)
            case Ping():
                self._write(packet)
            case Subscribe():
                self._exchange.router.subscribe(self.session, packet)
            case Unsubscribe():
                self._exchange.router.unsubscribe(self.session, packet)
            case Disconnect():
                self._part(self.session, packet)
            case Connect():
                pass  # looked for above, since one of another version cannot even be decoded

    def _introduce(self, first: int, body: bytes) -> None:
        if first >> 4 != PacketType.CONNECT:
            raise Malformed("the first packet is not CONNECT", Code.PROTOCOL_ERROR)
        codec = _codec_for(body)
        if codec is None:
            raise Malformed("this is not MQTT")
        self._codec = codec
        try:
            packet = cast(Connect, codec.decode(first, body))
            self.session, present = self._exchange.admit(self, packet)
        except Malformed as fault:
            self._write(Connack(fault.code))
            raise
        self.will, self.will_delay_s = packet.will, packet.will_delay_s
        if not self._write(self._acceptance(self.session, packet, present)):
            raise Malformed("a client that takes no answer", Code.PACKET_TOO_LARGE)
        if self._timer:
            self._timer.cancel()
        self._keep_alive_s = 1.5 * packet.keep_alive_s
        if self._keep_alive_s:
            self._timer = self._loop.call_later(self._keep_alive_s, self._too_quiet)
        self.send_queued()

    def _part(self, session: Session, packet: Disconnect) -> None:
        if packet.remember_s and not session.remember_s:
            raise Malformed("who was not to be remembered cannot ask for it now", Code.PROTOCOL_ERROR)
        if packet.remember_s is not None and session.connection is self:
            session.remember_s = min(packet.remember_s, self._limits.remember_s)
        if packet.code == Code.SUCCESS:
            self.will = None
        self.end()

    def _acceptance(self, session: Session, connect: Connect, present: bool) -> Connack:
        limits = self._limits
        return Connack(
            Code.SUCCESS,
            present=present,
            assigned_id=session.client_id if not connect.client_id else "",
            remember_s=session.remember_s if session.remember_s != connect.remember_s else None,
            receive_maximum=limits.receive_maximum,
            largest_packet=limits.packet_bytes,
            topic_aliases=limits.topic_aliases,
        )

    def _publish(self, session: Session, publish: Publish) -> None:
        if publish.alias:
            publish = publish._replace(topic=self._unaliased(publish), alias=0)
        if publish.qos == 2 and publish.packet_id in session.received:
            session.record.then(partial(self._say, Acknowledge(PacketType.PUBREC, publish.packet_id)))
            return
        if publish.qos == 2 and publish.packet_id in session.arriving:
            session.arriving[publish.packet_id] = self
            return
        if publish.qos:
            self._arriving.add(publish.packet_id)
            if publish.qos == 2:
                session.arriving[publish.packet_id] = self
            under_way = len(self._arriving) + len(session.received)
            if self._codec.version == 5 and under_way > self._limits.receive_maximum:
                raise Malformed("more messages at once than were allowed", Code.RECEIVE_MAXIMUM_EXCEEDED)
        self._intake.waiting += 1
        self._exchange.arrived(self, publish)

    def _unaliased(self, publish: Publish) -> str:
        if publish.alias > self._limits.topic_aliases:
            raise Malformed("a topic alias beyond the maximum", Code.ALIAS_NOT_VALID)
        if publish.topic:
            self._aliases[publish.alias] = publish.topic
        topic = self._aliases.get(publish.alias)
        if topic is None:
            raise Malformed("a topic alias that was never given", Code.PROTOCOL_ERROR)
        return topic

    def _answered(self, session: Session, packet: Acknowledge) -> None:
        answer = session.answer(packet)
        if answer:
            session.record.then(partial(self._say, answer))
        self.send_queued()

    def _say(self, answer: Acknowledge, failure: BaseException | None) -> None:
        if failure is None:
            self._write(answer)
        else:
            self.end(Code.NOT_KEPT)

    def _write(self, packet: Outgoing) -> bool:
        written = self._codec.encode(packet)
        if self.session and isinstance(packet, Publish | Connack) and not self.session.fits(written):
            return False
        if written and not self._ending:
            self._transport.write(written)
        return True

    def _refuse(self, fault: Malformed) -> None:
        self._exchange.refused()
        self.end(fault.code)

    def _too_quiet(self) -> None:
        """Called when a client may have been silent for too long."""
        if self.session is None:
            self._exchange.refused()
            self.end()
            return
        left_s = self._intake.heard_s + self._keep_alive_s - self._loop.time()
        if not self._intake.reading:  # it may well have spoken: we did not listen
            left_s = self._keep_alive_s
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._too_quiet)
        else:
            self.end(Code.KEEP_ALIVE_TIMEOUT)


def _codec_for(body: bytes) -> Codec | None:
    """Return the codec for a CONNECT's protocol level; an unknown level gets the nearest, to be told no."""
    if body.startswith(_OLD_NAME):
        return Codec311()
    if not body.startswith(_NAME) or len(body) <= len(_NAME):
        return None
    return Codec5() if body[len(_NAME)] >= Codec5.version else Codec311()
