"""MQTT 5: its packets, bytes to meaning by a strict reader, and back by the `mqtt5` library.

The library writes what we send. It does not read what strangers send: version 0.8 panics, with a
trace on standard error, on text that is not UTF-8, and lets wildcards in topics, identifiers of
zero and empty subscriptions pass. In the tests it is the second opinion on every packet we read.
"""

from __future__ import annotations

from typing import cast

import mqtt5

from bimetal.wire.transports.mqtt.field import (
    FieldReader,
    acknowledgement,
    check_flags,
    framed,
    read_publish,
)
from bimetal.wire.transports.mqtt.packet import (
    SHARE,
    Acknowledge,
    Code,
    Connack,
    Connect,
    Disconnect,
    Extras,
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
from bimetal.wire.transports.mqtt.property import (
    OF_ACKNOWLEDGE,
    OF_CONNECT,
    OF_DISCONNECT,
    OF_PUBLISH,
    OF_SUBSCRIBE,
    OF_UNSUBSCRIBE,
    OF_WILL,
    Properties,
    Property,
    extras_of,
    read_properties,
)

# Reason codes a client may give, by the packet that carries them (MQTT 5, 3.4.2.1 to 3.7.2.1, 3.14.2.1).
_OF_PUBACK = frozenset({0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})
_OF_PUBREL = frozenset({0, 0x92})
_OF_DISCONNECT = frozenset({0, 4, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99})


class Codec5:
    """MQTT 5, protocol level 5."""

    version = 5

    def decode(self, first: int, body: bytes) -> Incoming:
        """Return the packet with this first byte and body. Raises Malformed."""
        if first >> 4 == PacketType.PUBLISH:
            return _publish(first, body)
        fields = FieldReader(body)
        packet = _others(check_flags(first), fields)
        fields.end()
        return packet

    def encode(self, packet: Outgoing) -> bytes:
        """Return the packet as bytes."""
        match packet:
            case Publish():
                return _written_publish(packet)
            case Acknowledge():
                return _written_acknowledge(packet)
            case Connack():
                return _written_connack(packet)
            case Granted():
                return _written_granted(packet)
            case Ping():
                return mqtt5.PingRespPacket().write()
            case Disconnect():
                return mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode(packet.code)).write()


def _others(kind: PacketType, fields: FieldReader) -> Incoming:
    match kind:
        case PacketType.CONNECT:
            return _connect(fields)
        case PacketType.PUBACK | PacketType.PUBREC:
            return _acknowledge(kind, fields, _OF_PUBACK)
        case PacketType.PUBREL | PacketType.PUBCOMP:
            return _acknowledge(kind, fields, _OF_PUBREL)
        case PacketType.SUBSCRIBE:
            return _subscribe(fields)
        case PacketType.UNSUBSCRIBE:
            return _unsubscribe(fields)
        case PacketType.PINGREQ:
            return Ping()
        case PacketType.DISCONNECT:
            code, found = _reason(fields, _OF_DISCONNECT, OF_DISCONNECT)
            return Disconnect(code, cast("int | None", found.get(Property.SESSION_EXPIRY)))
        case _:
            raise Malformed(f"{kind.name} is not expected here", Code.PROTOCOL_ERROR)


def _publish(first: int, body: bytes) -> Publish:
    topic, packet_id, at = read_publish(first, body)
    qos, retain, duplicate = first >> 1 & 3, bool(first & 1), bool(first & 8)
    if topic and body[at : at + 1] == b"\0":  # no properties, as with almost every message
        return Publish(topic, body[at + 1 :], qos, retain, packet_id, duplicate)
    fields = FieldReader(body[at:])
    found = read_properties(fields, OF_PUBLISH)
    alias = cast(int, found.get(Property.ALIAS, 0))
    if not topic and not alias:
        raise Malformed("a message has neither topic nor alias", Code.PROTOCOL_ERROR)
    return Publish(topic, fields.rest(), qos, retain, packet_id, duplicate, alias, extras_of(found))


def _connect(fields: FieldReader) -> Connect:
    if fields.text() != "MQTT" or fields.number(1) != Codec5.version:
        raise Malformed("this is not MQTT 5", Code.UNSUPPORTED_VERSION)
    flags, keep_alive_s = fields.number(1), fields.number(2)
    has_will, will_qos, will_retain = bool(flags & 4), flags >> 3 & 3, bool(flags & 0x20)
    if flags & 1 or will_qos == 3 or (not has_will and flags & 0x38):
        raise Malformed("the flags of CONNECT contradict each other")
    found = read_properties(fields, OF_CONNECT)
    client_id = fields.text()
    will, will_delay_s = _will(fields, will_qos, will_retain) if has_will else (None, 0)
    username = fields.text() if flags & 0x80 else None
    password = fields.binary() if flags & 0x40 else None
    if Property.AUTHENTICATION_DATA in found and Property.AUTHENTICATION_METHOD not in found:
        raise Malformed("authentication data without a method", Code.PROTOCOL_ERROR)
    if Property.AUTHENTICATION_METHOD in found:
        raise Malformed("no extended authentication is offered", Code.BAD_AUTHENTICATION_METHOD)
    return Connect(
        Codec5.version,
        client_id,
        bool(flags & 2),
        keep_alive_s,
        will,
        username,
        password,
        receive_maximum=cast(int, found.get(Property.RECEIVE_MAXIMUM, 65_535)),
        largest_packet=cast("int | None", found.get(Property.LARGEST_PACKET)),
        remember_s=cast(int, found.get(Property.SESSION_EXPIRY, 0)),
        will_delay_s=will_delay_s,
    )


def _will(fields: FieldReader, qos: int, retain: bool) -> tuple[Publish, int]:
    found = read_properties(fields, OF_WILL)
    topic = fields.topic()
    if not topic:
        raise Malformed("a will has no topic")
    will = Publish(topic, fields.binary(), qos, retain, extras=extras_of(found))
    return will, cast(int, found.get(Property.WILL_DELAY, 0))


def _acknowledge(kind: PacketType, fields: FieldReader, codes: frozenset[int]) -> Acknowledge:
    return Acknowledge(kind, fields.packet_id(), _reason(fields, codes, OF_ACKNOWLEDGE)[0])


def _reason(
    fields: FieldReader, codes: frozenset[int], allowed: frozenset[Property]
) -> tuple[int, Properties]:
    """Return the reason code, which may be left out, and the properties, which may be too."""
    if not fields.more():
        return 0, {}
    code = fields.number(1)
    if code not in codes:
        raise Malformed(f"{code:#x} is no reason code here", Code.PROTOCOL_ERROR)
    return code, read_properties(fields, allowed) if fields.more() else {}


def _subscribe(fields: FieldReader) -> Subscribe:
    packet_id = fields.packet_id()
    found = read_properties(fields, OF_SUBSCRIBE)
    number = cast("int | None", found.get(Property.SUBSCRIPTION_ID))
    filters: list[Filter] = []
    while fields.more():
        pattern, options = fields.text(), fields.number(1)
        qos, handling = options & 3, options >> 4 & 3
        if not pattern or qos == 3 or options >> 6:
            raise Malformed("a subscription names no topic, or has impossible options")
        if handling == 3:
            raise Malformed("a subscription asks for retained messages in no known way", Code.PROTOCOL_ERROR)
        if options & 4 and pattern.startswith(SHARE):
            raise Malformed("a shared subscription cannot leave out its own", Code.PROTOCOL_ERROR)
        numbers = () if number is None else (number,)
        filters.append(Filter(pattern, qos, bool(options & 4), bool(options & 8), handling, numbers))
    if not filters:
        raise Malformed("a subscription names no topic", Code.PROTOCOL_ERROR)
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(fields: FieldReader) -> Unsubscribe:
    packet_id = fields.packet_id()
    read_properties(fields, OF_UNSUBSCRIBE)
    patterns: list[str] = []
    while fields.more():
        patterns.append(fields.text())
    if not patterns or not all(patterns):
        raise Malformed("an end of subscription names no topic", Code.PROTOCOL_ERROR)
    return Unsubscribe(packet_id, tuple(patterns))


def _written_publish(packet: Publish) -> bytes:
    extras = packet.extras or Extras()
    return mqtt5.PublishPacket(
        packet.topic,
        packet.payload,
        qos=mqtt5.QoS(packet.qos),
        retain=packet.retain,
        packet_id=packet.packet_id if packet.qos else None,
        duplicate=packet.duplicate,
        payload_format_indicator=extras.payload_format,
        message_expiry_interval=extras.expiry_s,
        content_type=extras.content_type,
        response_topic=extras.response_topic,
        correlation_data=extras.correlation,
        subscription_ids=list(packet.subscriptions),
        user_properties=list(extras.user),
    ).write()


def _written_acknowledge(packet: Acknowledge) -> bytes:
    if packet.code == Code.SUCCESS:
        return acknowledgement(packet.type, packet.packet_id)
    first = packet.type << 4 | (2 if packet.type is PacketType.PUBREL else 0)
    return framed(first, packet.packet_id.to_bytes(2, "big") + bytes([packet.code]))


def _written_connack(packet: Connack) -> bytes:
    refused = packet.code != Code.SUCCESS
    if refused:
        return mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode(packet.code)).write()
    return mqtt5.ConnAckPacket(
        session_present=packet.present,
        session_expiry_interval=packet.remember_s,
        assigned_client_id=packet.assigned_id or None,
        receive_max=packet.receive_maximum,
        topic_alias_max=packet.topic_aliases,
        max_packet_size=packet.largest_packet or None,
    ).write()


def _written_granted(packet: Granted) -> bytes:
    if packet.type is PacketType.UNSUBACK:
        unsubscribed = [mqtt5.UnsubAckReasonCode(code) for code in packet.codes]
        return mqtt5.UnsubAckPacket(packet.packet_id, unsubscribed).write()
    subscribed = [mqtt5.SubAckReasonCode(code) for code in packet.codes]
    return mqtt5.SubAckPacket(packet.packet_id, subscribed).write()
