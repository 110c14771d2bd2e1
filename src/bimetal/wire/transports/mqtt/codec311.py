"""MQTT 3.1.1: its packets, bytes to meaning and back (OASIS mqtt-v3.1.1-os)."""

from __future__ import annotations

from bimetal.wire.transports.mqtt.field import (
    FieldReader,
    acknowledgement,
    check_flags,
    framed,
    read_publish,
)
from bimetal.wire.transports.mqtt.packet import (
    FOREVER_S,
    Acknowledge,
    Code,
    Connack,
    Connect,
    Disconnect,
    Filter,
    Granted,
    Incoming,
    Malformed,
    Outgoing,
    PacketType,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
)

# Return codes of CONNACK (table 3.1) for our reasons; for any other the connection just ends.
_RETURN_CODES = {
    Code.SUCCESS: 0,
    Code.UNSUPPORTED_VERSION: 1,
    Code.CLIENT_ID_NOT_VALID: 2,
    Code.NOT_AUTHORIZED: 5,
}
_FAILURE = 0x80


class Codec311:
    """MQTT 3.1.1, protocol level 4."""

    version = 4

    def decode(self, first: int, body: bytes) -> Incoming:
        """Return the packet with this first byte and body. Raises Malformed."""
        if first >> 4 == PacketType.PUBLISH:
            return _publish(first, body)
        fields = FieldReader(body)
        packet = _others(check_flags(first), fields)
        fields.end()
        return packet

    def encode(self, packet: Outgoing) -> bytes:
        """Return the packet as bytes; 3.1.1 has no DISCONNECT from a server."""
        match packet:
            case Publish():
                return _written_publish(packet)
            case Acknowledge():
                return acknowledgement(packet.type, packet.packet_id)
            case Connack():
                code = _RETURN_CODES.get(Code(packet.code))
                return b"" if code is None else bytes((0x20, 2, packet.present, code))
            case Granted():
                return _written_granted(packet)
            case Ping():
                return b"\xd0\x00"
            case Disconnect():
                return b""


def _others(kind: PacketType, fields: FieldReader) -> Incoming:
    match kind:
        case PacketType.CONNECT:
            return _connect(fields)
        case PacketType.PUBACK | PacketType.PUBREC | PacketType.PUBREL | PacketType.PUBCOMP:
            return Acknowledge(kind, fields.packet_id())
        case PacketType.SUBSCRIBE:
            return Subscribe(fields.packet_id(), _filters(fields))
        case PacketType.UNSUBSCRIBE:
            return Unsubscribe(fields.packet_id(), _patterns(fields))
        case PacketType.PINGREQ:
            return Ping()
        case PacketType.DISCONNECT:
            return Disconnect()
        case _:
            raise Malformed(f"{kind.name} is not expected here", Code.PROTOCOL_ERROR)


def _publish(first: int, body: bytes) -> Publish:
    topic, packet_id, at = read_publish(first, body)
    if not topic:
        raise Malformed("a message has no topic")
    return Publish(topic, body[at:], first >> 1 & 3, bool(first & 1), packet_id, bool(first & 8))


def _connect(fields: FieldReader) -> Connect:
    if fields.text() != "MQTT" or fields.number(1) != Codec311.version:
        raise Malformed("this is not MQTT 3.1.1", Code.UNSUPPORTED_VERSION)
    flags, keep_alive_s = fields.number(1), fields.number(2)
    has_will, has_name, has_password = bool(flags & 4), bool(flags & 0x80), bool(flags & 0x40)
    will_qos, will_retain = flags >> 3 & 3, bool(flags & 0x20)
    if flags & 1 or will_qos == 3 or (not has_will and flags & 0x38) or (has_password and not has_name):
        raise Malformed("the flags of CONNECT contradict each other")
    client_id = fields.text()
    will = Publish(_will_topic(fields), fields.binary(), will_qos, will_retain) if has_will else None
    username = fields.text() if has_name else None
    password = fields.binary() if has_password else None
    clean = bool(flags & 2)
    if not client_id and not clean:
        raise Malformed("a client without a name must ask for a clean session", Code.CLIENT_ID_NOT_VALID)
    remember_s = 0 if clean else FOREVER_S
    return Connect(
        Codec311.version, client_id, clean, keep_alive_s, will, username, password, remember_s=remember_s
    )


def _will_topic(fields: FieldReader) -> str:
    topic = fields.topic()
    if not topic:
        raise Malformed("a will has no topic")
    return topic


def _filters(fields: FieldReader) -> tuple[Filter, ...]:
    filters: list[Filter] = []
    while fields.more():
        pattern, qos = fields.text(), fields.number(1)
        if not pattern or qos > 2:
            raise Malformed("a subscription names no topic, or a quality of service above 2")
        filters.append(Filter(pattern, qos))
    if not filters:
        raise Malformed("a subscription names no topic")
    return tuple(filters)


def _patterns(fields: FieldReader) -> tuple[str, ...]:
    patterns: list[str] = []
    while fields.more():
        patterns.append(fields.text())
    if not patterns or not all(patterns):
        raise Malformed("an end of subscription names no topic")
    return tuple(patterns)


def _written_publish(packet: Publish) -> bytes:
    first = 0x30 | packet.duplicate << 3 | packet.qos << 1 | packet.retain
    topic = packet.topic.encode()
    number = packet.packet_id.to_bytes(2, "big") if packet.qos else b""
    return framed(first, len(topic).to_bytes(2, "big") + topic + number + packet.payload)


def _written_granted(packet: Granted) -> bytes:
    number = packet.packet_id.to_bytes(2, "big")
    if packet.type is PacketType.UNSUBACK:
        return framed(0xB0, number)
    return framed(0x90, number + bytes(code if code <= 2 else _FAILURE for code in packet.codes))
