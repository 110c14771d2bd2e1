"""Properties: what MQTT 5 packets carry beside their fields (OASIS mqtt-v5.0-os, 2.2.2)."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias, cast

from bimetal.wire.transports.mqtt.field import FieldReader
from bimetal.wire.transports.mqtt.packet import Code, Extras, Malformed


class Property(IntEnum):
    """The identifiers of table 2-4."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION = 0x09
    SUBSCRIPTION_ID = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTHENTICATION_METHOD = 0x15
    AUTHENTICATION_DATA = 0x16
    REQUEST_PROBLEM = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSE = 0x19
    RESPONSE_TOPIC_ROOT = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON = 0x1F
    RECEIVE_MAXIMUM = 0x21
    ALIAS_MAXIMUM = 0x22
    ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER = 0x26
    LARGEST_PACKET = 0x27
    WILDCARDS_AVAILABLE = 0x28
    SUBSCRIPTION_IDS_AVAILABLE = 0x29
    SHARED_AVAILABLE = 0x2A


Value: TypeAlias = int | str | bytes | list[tuple[str, str]]
Properties: TypeAlias = dict[Property, Value]

P = Property
OF_MESSAGE = frozenset(
    {P.PAYLOAD_FORMAT, P.MESSAGE_EXPIRY, P.CONTENT_TYPE, P.RESPONSE_TOPIC, P.CORRELATION, P.USER}
)
OF_PUBLISH = OF_MESSAGE | {P.ALIAS}
OF_WILL = OF_MESSAGE | {P.WILL_DELAY}
OF_CONNECT = frozenset(
    {
        P.SESSION_EXPIRY,
        P.AUTHENTICATION_METHOD,
        P.AUTHENTICATION_DATA,
        P.REQUEST_PROBLEM,
        P.REQUEST_RESPONSE,
        P.RECEIVE_MAXIMUM,
        P.ALIAS_MAXIMUM,
        P.USER,
        P.LARGEST_PACKET,
    }
)
OF_SUBSCRIBE = frozenset({P.SUBSCRIPTION_ID, P.USER})
OF_UNSUBSCRIBE = frozenset({P.USER})
OF_ACKNOWLEDGE = frozenset({P.REASON, P.USER})
OF_DISCONNECT = frozenset({P.SESSION_EXPIRY, P.REASON, P.USER})

_FLAGS = frozenset({P.PAYLOAD_FORMAT, P.REQUEST_PROBLEM, P.REQUEST_RESPONSE})
_SERVER_FLAGS = frozenset({P.MAXIMUM_QOS, P.RETAIN_AVAILABLE, P.WILDCARDS_AVAILABLE})
_BYTES = _FLAGS | _SERVER_FLAGS | {P.SUBSCRIPTION_IDS_AVAILABLE, P.SHARED_AVAILABLE}
_SHORTS = frozenset({P.SERVER_KEEP_ALIVE, P.RECEIVE_MAXIMUM, P.ALIAS_MAXIMUM, P.ALIAS})
_LONGS = frozenset({P.MESSAGE_EXPIRY, P.SESSION_EXPIRY, P.WILL_DELAY, P.LARGEST_PACKET})
_BINARIES = frozenset({P.CORRELATION, P.AUTHENTICATION_DATA})
_NEVER_ZERO = frozenset({P.RECEIVE_MAXIMUM, P.LARGEST_PACKET, P.SUBSCRIPTION_ID})


def read_properties(fields: FieldReader, allowed: frozenset[Property]) -> Properties:
    """Return the properties that come next, each at most once, user properties as a list of pairs.

    Raises Malformed for unknown, misplaced, repeated and impossible ones.
    """
    size = fields.varying()
    found: Properties = {}
    if not size:
        return found
    inner = fields.sub(size)
    while inner.more():
        kind = _kind(inner.varying())
        value = (inner.text(), inner.text()) if kind is Property.USER else _value(kind, inner)
        if kind not in allowed:
            raise Malformed(f"the property {kind.name} does not belong here", Code.PROTOCOL_ERROR)
        if isinstance(value, tuple):
            cast("list[tuple[str, str]]", found.setdefault(kind, [])).append(value)
        elif kind in found:
            raise Malformed(f"the property {kind.name} is there twice", Code.PROTOCOL_ERROR)
        else:
            found[kind] = value
    return found


def extras_of(found: Properties) -> Extras | None:
    """Return what the publisher added to a message, None if nothing that travels on."""
    if not found.keys() & OF_MESSAGE:
        return None
    return Extras(
        payload_format=cast(int, found.get(Property.PAYLOAD_FORMAT, 0)),
        expiry_s=cast("int | None", found.get(Property.MESSAGE_EXPIRY)),
        content_type=cast("str | None", found.get(Property.CONTENT_TYPE)),
        response_topic=cast("str | None", found.get(Property.RESPONSE_TOPIC)),
        correlation=cast("bytes | None", found.get(Property.CORRELATION)),
        user=tuple(cast("list[tuple[str, str]]", found.get(Property.USER, []))),
    )


def _kind(number: int) -> Property:
    try:
        return Property(number)
    except ValueError:
        raise Malformed(f"there is no property {number}") from None


def _value(kind: Property, fields: FieldReader) -> int | str | bytes:
    if kind is Property.RESPONSE_TOPIC:
        return _response_topic(fields)
    if kind in _BINARIES:
        return fields.binary()
    value = _number(kind, fields)
    if value is None:
        return fields.text()
    if (kind in _FLAGS and value > 1) or (kind in _NEVER_ZERO and not value):
        raise Malformed(f"the property {kind.name} cannot be {value}", Code.PROTOCOL_ERROR)
    if kind is Property.ALIAS and not value:
        raise Malformed("a topic alias cannot be 0", Code.ALIAS_NOT_VALID)
    return value


def _number(kind: Property, fields: FieldReader) -> int | None:
    if kind is Property.SUBSCRIPTION_ID:
        return fields.varying()
    for kinds, size in ((_BYTES, 1), (_SHORTS, 2), (_LONGS, 4)):
        if kind in kinds:
            return fields.number(size)
    return None


def _response_topic(fields: FieldReader) -> str:
    topic = fields.topic()
    if not topic:
        raise Malformed("a response topic is empty", Code.PROTOCOL_ERROR)
    return topic
