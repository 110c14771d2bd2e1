"""Fields: the few data types every MQTT packet is made of, read strictly."""

from __future__ import annotations

import re
from functools import lru_cache

from bimetal.wire.transports.mqtt.packet import Code, Malformed, PacketType

# Control characters and non-characters: a server may refuse them (MQTT 5, 1.5.4), and nobody needs them.
_UNWELCOME = re.compile(r"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_UNWELCOME_IN_TOPIC = re.compile(r"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff#+]")

_SHORT = 256
"""Devices publish under the same few names over and over: those of so many bytes are looked at once."""
_NEVER_FROM_CLIENTS = frozenset(
    {0, PacketType.CONNACK, PacketType.SUBACK, PacketType.UNSUBACK, PacketType.PINGRESP, PacketType.AUTH}
)


class FieldReader:
    """Reads one field after another from a packet's body; raises Malformed where one is not there."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def number(self, size: int) -> int:
        """Return an unsigned big-endian number of `size` bytes."""
        return int.from_bytes(self._take(size), "big")

    def varying(self) -> int:
        """Return a number of one to four bytes, seven bits each, lowest first."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if shift and not byte:
                    break
                return value
        raise Malformed("a number is written longer than it may be")

    def binary(self) -> bytes:
        """Return bytes with their length in two bytes before them."""
        return self._take(self.number(2))

    def text(self) -> str:
        """Return text: well-formed UTF-8 without control characters."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None
        if _UNWELCOME.search(text):
            raise Malformed("a text holds a control character")
        return text

    def topic(self) -> str:
        """Return a topic's name; empty where an alias stands for it."""
        return topic_of(self.binary())

    def packet_id(self) -> int:
        """Return a packet identifier, which is never zero."""
        number = self.number(2)
        if not number:
            raise Malformed("a packet identifier is zero", Code.PROTOCOL_ERROR)
        return number

    def sub(self, size: int) -> FieldReader:
        """Return a reader of the next `size` bytes, and step over them."""
        return FieldReader(self._take(size))

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self._take(len(self._body) - self._at)

    def more(self) -> bool:
        """Say whether anything is left."""
        return self._at < len(self._body)

    def end(self) -> None:
        """Raise Malformed if anything is left."""
        if self.more():
            raise Malformed("a packet is longer than what it says")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._body):
            raise Malformed("a packet is shorter than what it says")
        part = self._body[self._at : end]
        self._at = end
        return part


def topic_of(raw: bytes) -> str:
    """Return a topic's name from its bytes. Raises Malformed for one that nobody can publish to."""
    return _looked_at(raw) if len(raw) <= _SHORT else _looked_at.__wrapped__(raw)


@lru_cache(1 << 14)
def _looked_at(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Malformed("a topic is not UTF-8") from None
    if _UNWELCOME_IN_TOPIC.search(text):
        raise Malformed(f"nobody can publish to {text[:64]!a}")
    return text


def read_publish(first: int, body: bytes) -> tuple[str, int, int]:
    """Return topic and identifier of a PUBLISH, and where what follows them begins. Raises Malformed.

    Almost every packet is one of these, so this much is read in one piece.
    """
    qos = first >> 1 & 3
    if qos == 3 or (first & 8 and not qos):
        raise Malformed("a message has an impossible quality of service")
    topic_end = 2 + int.from_bytes(body[:2], "big")
    at = topic_end + (2 if qos else 0)
    if len(body) < at:
        raise Malformed("a packet is shorter than what it says")
    packet_id = int.from_bytes(body[topic_end:at], "big")
    if qos and not packet_id:
        raise Malformed("a packet identifier is zero", Code.PROTOCOL_ERROR)
    return topic_of(body[2:topic_end]), packet_id, at


def check_flags(first: int) -> PacketType:
    """Return the type of any packet but PUBLISH. Raises Malformed where its flags are wrong."""
    if first >> 4 in _NEVER_FROM_CLIENTS:
        raise Malformed(f"a client cannot send packets of type {first >> 4}", Code.PROTOCOL_ERROR)
    kind = PacketType(first >> 4)
    wanted = 2 if kind in (PacketType.PUBREL, PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE) else 0
    if first & 15 != wanted:
        raise Malformed(f"the flags of {kind.name} are not as they must be")
    return kind


def framed(first: int, body: bytes) -> bytes:
    """Return a whole packet: the first byte, the length of the body, the body."""
    length, size = bytearray([first]), len(body)
    while True:
        size, byte = size >> 7, size & 0x7F
        length.append(byte | (0x80 if size else 0))
        if not size:
            return bytes(length) + body


def acknowledgement(kind: PacketType, packet_id: int) -> bytes:
    """Return a successful PUBACK, PUBREC, PUBREL or PUBCOMP, which is the same in 3.1.1 and 5."""
    return bytes((kind << 4 | (2 if kind is PacketType.PUBREL else 0), 2, packet_id >> 8, packet_id & 255))
