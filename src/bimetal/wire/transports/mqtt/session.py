"""Session: what the listener remembers about one client.

It lives as long as its connection, or longer where the client asks for that (MQTT 5, 3.1.2.11.2);
then all of it is written down, and goes on after a restart or a kill.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

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
    aged,
)
from bimetal.wire.transports.mqtt.record import Letter, Record, Remembered, Terms

if TYPE_CHECKING:
    from bimetal.wire.transports.mqtt.connection import Connection

_HIGHEST_ID = 65_535

Unwanted: TypeAlias = Callable[[Publish, int], bool]
"""Whether a message that waits since an instant is to be forgotten."""


class Purse:
    """How many bytes the letters of all clients together may hold."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> bool:
        """Take so many; False if there are not."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give(self, size: int) -> None:
        """Give so many back."""
        self._left += size


class Session:
    """Subscriptions, and the messages on their way in (QoS 2) and out (QoS 1 and 2).

    `owner` is the name under which its client was identified: nobody else may take it up.
    `arriving` are the QoS 2 messages that are not kept yet, and who is to hear when they are;
    `received` those that the client may still release.
    """

    def __init__(self, client_id: str, owner: str, record: Record, limits: Limits, purse: Purse) -> None:
        self.client_id = client_id
        self.owner = owner
        self.record = record
        self.remember_s = 0
        self.connection: Connection | None = None
        self.identity = Identity(None)
        self.filters: dict[str, Filter] = {}
        self.arriving: dict[int, Connection] = {}
        self.received: set[int] = set()
        self._limits = limits
        self._purse = purse
        self._largest_packet: int | None = None
        self._window = _HIGHEST_ID
        self._letters: dict[int, Letter] = {}
        self._queue: deque[int] = deque()
        self._under_way: set[int] = set()
        self._ever_sent: set[int] = set()
        self._held_bytes = self._last_id = self._last_number = 0

    def attach(self, connection: Connection, connect: Connect, identity: Identity, remember_s: int) -> None:
        """Let a connection of the client take it up; what is under way is sent again."""
        self.connection = connection
        self.identity = identity
        self.remember_s = remember_s
        self._largest_packet = connect.largest_packet
        self._window = connect.receive_maximum
        self._queue = deque(self._letters)
        self._under_way.clear()
        self.record.terms(Terms(self.owner, remember_s))

    def detach(self, now_ns: int) -> None:
        """Note that the client is gone."""
        self.connection = None
        self.record.terms(Terms(self.owner, self.remember_s, now_ns))

    def restore(self, held: Remembered, gone_ns: int) -> None:
        """Take over what was written down of it; its client is not there since then."""
        self.remember_s = held.terms.remember_s
        self.detach(gone_ns)
        self.filters = {wanted.pattern: wanted for wanted in held.filters}
        self.received = held.received
        for letter in held.letters:
            self._give_back(-letter.size)  # it is there, whatever the limits are now
            self._letters[letter.packet_id] = letter
            self._last_id, self._last_number = letter.packet_id, letter.number
        self._ever_sent = set(self._letters)
        self._queue = deque(self._letters)

    def fits(self, written: bytes) -> bool:
        """Say whether the client takes packets of this size."""
        return self._largest_packet is None or len(written) <= self._largest_packet

    def queue(self, publish: Publish, now_ns: int, share: str = "") -> bool:
        """Line up a message that must not be lost; False when the line is full."""
        awaited = PacketType.PUBACK if publish.qos == 1 else PacketType.PUBREC
        number = self._last_number + 1
        size = publish.size
        full = len(self._queue) >= self._limits.queued_messages or len(self._letters) >= _HIGHEST_ID
        if full or self._held_bytes + size > self._limits.unread_bytes or not self._purse.take(size):
            return False
        letter = Letter(number, self._next_id(), publish, now_ns, awaited, share)
        self._last_number = number
        self._held_bytes += size
        self._letters[letter.packet_id] = letter
        self._queue.append(letter.packet_id)
        self.record.letter(letter)
        return True

    def due(self, now_ns: int) -> Iterator[Publish | Acknowledge]:
        """Yield what the client's window allows now: messages, and releases of those it has."""
        while self._queue and len(self._under_way) < self._window:
            letter = self._letters.get(self._queue.popleft())
            if letter is None:
                continue
            number = letter.packet_id
            if letter.awaited is PacketType.PUBCOMP:
                self._under_way.add(number)
                yield Acknowledge(PacketType.PUBREL, number)
                continue
            again = number in self._ever_sent
            publish = letter.publish if again else aged(letter.publish, letter.since_ns, now_ns)
            if publish is None:
                self.unsent(number)
                continue
            self._under_way.add(number)
            self._ever_sent.add(number)
            yield publish._replace(packet_id=number, duplicate=again)

    def unsent(self, packet_id: int) -> None:
        """Forget a message that is too large for this client, or too old."""
        self._through(self._letters[packet_id])

    def drop(self, unwanted: Unwanted) -> int:
        """Forget the letters of which that is true; returns how many."""
        gone = [letter for letter in self._letters.values() if unwanted(letter.publish, letter.since_ns)]
        for letter in gone:
            self._through(letter)
        if gone:
            self._queue = deque(number for number in self._queue if number in self._letters)
        return len(gone)

    def undelivered(self) -> Iterator[Letter]:
        """Yield the letters that another client may get instead (MQTT 5, 4.8.2)."""
        for number, letter in self._letters.items():
            if letter.awaited is PacketType.PUBACK or number not in self._ever_sent:
                yield letter

    def answer(self, packet: Acknowledge) -> Acknowledge | None:
        """Take note of an acknowledgement and return what is to be said to it, if anything.

        Raises Malformed for an acknowledgement out of turn.
        """
        number = packet.packet_id
        if packet.type is PacketType.PUBREL:
            return self._release(number)
        letter = self._letters.get(number) if number in self._under_way else None
        if letter is None:
            unknown = packet.type is PacketType.PUBREC
            return Acknowledge(PacketType.PUBREL, number, Code.ID_NOT_FOUND) if unknown else None
        refused = packet.code >= 0x80
        if packet.type is PacketType.PUBREC and letter.awaited is not PacketType.PUBACK and not refused:
            self._has(letter)
            return Acknowledge(PacketType.PUBREL, number)
        if letter.awaited is not packet.type:
            raise Malformed(f"{packet.type.name} where {letter.awaited.name} was due", Code.PROTOCOL_ERROR)
        self._through(letter)
        return None

    def end(self) -> None:
        """Forget everything, here and where it was written down."""
        self.record.end(self.filters, self._letters.values(), self.received)
        self._give_back(self._held_bytes)
        self.filters.clear()
        self.received.clear()
        self._letters.clear()
        self._queue.clear()
        self.record.open = False

    def _has(self, letter: Letter) -> None:
        """The client has a QoS 2 message: only its identifier is needed still."""
        bare = letter._replace(publish=Publish(letter.publish.topic, b"", 2), awaited=PacketType.PUBCOMP)
        self._letters[letter.packet_id] = bare
        self._give_back(letter.size - bare.size)
        self.record.letter(bare)

    def _through(self, letter: Letter) -> None:
        del self._letters[letter.packet_id]
        self._under_way.discard(letter.packet_id)
        self._ever_sent.discard(letter.packet_id)
        self._give_back(letter.size)
        self.record.through(letter)

    def _give_back(self, size: int) -> None:
        self._held_bytes -= size
        self._purse.give(size)

    def _release(self, number: int) -> Acknowledge:
        known = number in self.received
        self.received.discard(number)
        if known:
            self.record.released(number)
        return Acknowledge(PacketType.PUBCOMP, number, Code.SUCCESS if known else Code.ID_NOT_FOUND)

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % _HIGHEST_ID + 1
            if self._last_id not in self._letters:
                return self._last_id
