"""Packets: what MQTT 3.1.1 and 5 say, in one form for both, and how a byte stream is cut into them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeAlias

from bimetal.nouns.errors import BadInput


class PacketType(IntEnum):
    """The upper four bits of a packet's first byte (MQTT 5, table 2-1)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Code(IntEnum):
    """The reason codes this listener gives (MQTT 5, table 2-6)."""

    SUCCESS = 0x00
    WITH_WILL = 0x04
    NO_SUBSCRIPTION = 0x11
    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    NOT_KEPT = 0x83
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID_NOT_VALID = 0x85
    NOT_AUTHORIZED = 0x87
    SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    TAKEN_OVER = 0x8E
    FILTER_NOT_VALID = 0x8F
    ID_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    ALIAS_NOT_VALID = 0x94
    PACKET_TOO_LARGE = 0x95
    QUOTA_EXCEEDED = 0x97


class Malformed(BadInput):
    """A packet breaks a rule of MQTT; `code` is the reason code its sender is told."""

    def __init__(self, what: str, code: Code = Code.MALFORMED) -> None:
        super().__init__(what, where="MQTT")
        self.code = code


class Extras(NamedTuple):
    """What an MQTT 5 publisher may add to a message, passed on unaltered to MQTT 5 subscribers."""

    payload_format: int = 0
    expiry_s: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    user: tuple[tuple[str, str], ...] = ()


class Publish(NamedTuple):
    """A message on its way in or out.

    `alias` is 0 where the topic is spelled out; `subscriptions` are the numbers a subscriber gave to
    the filters that the message matched.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    packet_id: int = 0
    duplicate: bool = False
    alias: int = 0
    extras: Extras | None = None
    subscriptions: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How much memory it holds, about."""
        return len(self.topic) + len(self.payload)


def aged(publish: Publish, since_ns: int, now_ns: int) -> Publish | None:
    """Return a message that has waited, with the time it still has to live; None if that is over."""
    extras = publish.extras
    if extras is None or extras.expiry_s is None:
        return publish
    left_s = extras.expiry_s - max(0, now_ns - since_ns) // 1_000_000_000
    return publish._replace(extras=extras._replace(expiry_s=left_s)) if left_s > 0 else None


SHARE = "$share/"
"""A shared subscription begins with this, the name of its group and a slash (MQTT 5, 4.8.2)."""

FOREVER_S = 0xFFFF_FFFF
"""A session that is to be remembered for ever (MQTT 5, 3.1.2.11.2)."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A client introduces itself.

    `remember_s` is how long it asks to be remembered when it is gone, `will_delay_s` how long its will
    is to wait for it to come back.
    """

    version: int
    client_id: str
    clean: bool
    keep_alive_s: int
    will: Publish | None = None
    username: str | None = None
    password: bytes | None = None
    receive_maximum: int = 65_535
    largest_packet: int | None = None
    remember_s: int = 0
    will_delay_s: int = 0


@dataclass(frozen=True, slots=True)
class Connack:
    """The answer to Connect.

    `present` says that the client was remembered; `remember_s` is set where it is remembered less long
    than it asked, `assigned_id` where it brought no name.
    """

    code: int = Code.SUCCESS
    present: bool = False
    assigned_id: str = ""
    remember_s: int | None = None
    receive_maximum: int = 65_535
    largest_packet: int = 0
    topic_aliases: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """One line of a subscription; `handling` 0 sends retained messages, 1 only when new, 2 never."""

    pattern: str
    qos: int = 0
    no_local: bool = False
    as_published: bool = False
    handling: int = 0
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A client wants to hear what matches."""

    packet_id: int
    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """A client no longer wants to hear."""

    packet_id: int
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer to Subscribe or Unsubscribe, a code for every filter."""

    type: PacketType
    packet_id: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""

    type: PacketType
    packet_id: int
    code: int = Code.SUCCESS


@dataclass(frozen=True, slots=True)
class Ping:
    """PINGREQ coming in, PINGRESP going out."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """One side says good-bye, and why; `remember_s` where the client now asks for another time."""

    code: int = Code.SUCCESS
    remember_s: int | None = None


Incoming: TypeAlias = Connect | Publish | Subscribe | Unsubscribe | Acknowledge | Ping | Disconnect
Outgoing: TypeAlias = Connack | Publish | Granted | Acknowledge | Ping | Disconnect


class Codec(Protocol):
    """One version of MQTT: bytes to packets and back."""

    version: int

    def decode(self, first: int, body: bytes) -> Incoming:
        """Return the packet with this first byte and body. Raises Malformed."""
        ...

    def encode(self, packet: Outgoing) -> bytes:
        """Return the packet as bytes, empty where this version has no such packet."""
        ...


class Framer:
    """Cuts a byte stream into packets without decoding them; holds at most one packet.

    Raises Malformed for a remaining length of more than four bytes or beyond `largest`.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._held = bytearray()
        self._needed = 2

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the first byte and the body of every packet that is complete by now."""
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        at, size = 0, len(data)
        while size - at >= 2:
            start, length = at + 2, data[at + 1]
            if length > 127 or length > self._largest:
                start, length = self._measure(data, at + 1)
            end = start + length
            if not start or end > size:
                self._needed = (end - at) if start else size - at + 1
                break
            yield data[at], data[start:end]
            at = end
        else:
            self._needed = 2
        self._held += data[at:]

    def _measure(self, data: bytes, at: int) -> tuple[int, int]:
        """Return where the body starts and its length, or (0, 0) while the length is incomplete."""
        length = 0
        for shift, byte in enumerate(data[at : at + 4]):
            length |= (byte & 0x7F) << (7 * shift)
            if byte < 0x80:
                if length > self._largest:
                    raise Malformed(f"a packet of {length} bytes is too large", Code.PACKET_TOO_LARGE)
                return at + shift + 1, length
        if len(data) - at >= 4:
            raise Malformed("the remaining length takes more than four bytes")
        return 0, 0
