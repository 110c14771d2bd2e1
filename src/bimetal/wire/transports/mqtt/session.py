"""Session: what the listener remembers about one client while it is connected.

A session lives as long as its connection. Everything that would have to outlive it, for clients
that ask to be remembered, is in this one object.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from bimetal.trust.identify import Identity
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import (
    Acknowledge,
    Code,
    Connect,
    Filter,
    Malformed,
    PacketType,
    Publish,
)


class Session:
    """Subscriptions, will, and the messages on their way in (QoS 2) and out (QoS 1 and 2)."""

    def __init__(self, connect: Connect, client_id: str, identity: Identity, limits: Limits) -> None:
        self.client_id = client_id
        self.identity = identity
        self.version = connect.version
        self.will = connect.will
        self.filters: dict[str, Filter] = {}
        self.arriving: set[int] = set()
        self.received: set[int] = set()
        self._largest_packet = connect.largest_packet
        self._window = connect.receive_maximum
        self._limits = limits
        self._queue: deque[Publish] = deque()
        self._queued_bytes = 0
        self._under_way: dict[int, PacketType] = {}
        self._last_id = 0

    def fits(self, written: bytes) -> bool:
        """Say whether the client takes packets of this size."""
        return self._largest_packet is None or len(written) <= self._largest_packet

    def queue(self, publish: Publish) -> bool:
        """Line up a message that must not be lost; False when the line is full."""
        size = self._queued_bytes + len(publish.topic) + len(publish.payload)
        if len(self._queue) >= self._limits.queued_messages or size > self._limits.unread_bytes:
            return False
        self._queue.append(publish)
        self._queued_bytes = size
        return True

    def due(self) -> Iterator[Publish]:
        """Yield the queued messages that the client's window allows now, with their identifiers."""
        while self._queue and len(self._under_way) < self._window:
            publish = self._queue.popleft()
            self._queued_bytes -= len(publish.topic) + len(publish.payload)
            number = self._next_id()
            self._under_way[number] = PacketType.PUBACK if publish.qos == 1 else PacketType.PUBREC
            yield publish._replace(packet_id=number)

    def unsent(self, packet_id: int) -> None:
        """Forget a message that turned out too large for this client."""
        self._under_way.pop(packet_id, None)

    def answer(self, packet: Acknowledge) -> Acknowledge | None:
        """Take note of an acknowledgement and return what is to be said to it, if anything.

        Raises Malformed for an acknowledgement out of turn.
        """
        number, awaited = packet.packet_id, self._under_way.get(packet.packet_id)
        if packet.type is PacketType.PUBREL:
            return self._release(number)
        if awaited is None:
            unknown = packet.type is PacketType.PUBREC
            return Acknowledge(PacketType.PUBREL, number, Code.ID_NOT_FOUND) if unknown else None
        if packet.type is PacketType.PUBREC and awaited is not PacketType.PUBACK and packet.code < 0x80:
            self._under_way[number] = PacketType.PUBCOMP
            return Acknowledge(PacketType.PUBREL, number)
        if awaited is not packet.type:
            raise Malformed(f"{packet.type.name} where {awaited.name} was due", Code.PROTOCOL_ERROR)
        del self._under_way[number]
        return None

    def _release(self, number: int) -> Acknowledge:
        known = number in self.received
        self.received.discard(number)
        return Acknowledge(PacketType.PUBCOMP, number, Code.SUCCESS if known else Code.ID_NOT_FOUND)

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % 65_535 + 1
            if self._last_id not in self._under_way:
                return self._last_id
