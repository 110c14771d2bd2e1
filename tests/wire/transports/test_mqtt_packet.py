"""Packets of both versions: read what another library writes, write what it reads, refuse the rest."""

from __future__ import annotations

import contextlib

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.wire.transports.mqtt.codec5 import Codec5
from bimetal.wire.transports.mqtt.codec311 import Codec311
from bimetal.wire.transports.mqtt.packet import (
    Acknowledge,
    Code,
    Codec,
    Connack,
    Connect,
    Disconnect,
    Extras,
    Filter,
    Framer,
    Granted,
    Malformed,
    PacketType,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
)
from tests.wire.transports.mqtt_peer import connect, packet, publish, subscribe, text

LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn"))
TEXTS = st.text(LETTERS, max_size=20)
TOPICS = st.text(LETTERS.filter(lambda c: c not in "+#"), min_size=1, max_size=20)
BLOBS = st.binary(max_size=40)
IDS = st.integers(1, 65_535)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3)
QOS = st.sampled_from([0, 1, 2])
CODECS: list[Codec] = [Codec311(), Codec5()]


def cut(raw: bytes, largest: int = 1 << 20) -> list[tuple[int, bytes]]:
    return list(Framer(largest).feed(raw))


def read(codec: Codec, raw: bytes) -> object:
    [(first, body)] = cut(raw)
    return codec.decode(first, body)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=8), st.data())
def test_packets_are_cut_alike_however_the_bytes_arrive(
    wanted: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(packet(first, body) for first, body in wanted)
    framer, found, at = Framer(1_000), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, 200))
        found += list(framer.feed(stream[at : at + step]))
        at += step
    assert found == wanted


def test_a_long_packet_in_single_bytes_is_not_copied_over_and_over() -> None:
    raw, framer, found = packet(0x30, bytes(200_000)), Framer(1 << 18), []
    for at in range(0, len(raw), 1):
        found += list(framer.feed(raw[at : at + 1]))
    assert found == [(0x30, bytes(200_000))]


@pytest.mark.parametrize(
    "head", [b"\x30\xff\xff\xff\xff", b"\x30\x80\x80\x80\x80\x01", b"\x10\x80\x80\x80\x80"]
)
def test_a_length_of_five_bytes_is_malformed(head: bytes) -> None:
    with pytest.raises(Malformed) as fault:
        cut(head)
    assert fault.value.code == Code.MALFORMED


def test_a_packet_too_large_is_refused_by_its_header_alone() -> None:
    assert cut(b"\x30\xe8\x07") == []
    with pytest.raises(Malformed) as fault:
        cut(b"\x30\xe8\x07", largest=999)
    assert fault.value.code == Code.PACKET_TOO_LARGE


@given(TOPICS, BLOBS, QOS, st.booleans(), st.booleans(), IDS, st.sampled_from(CODECS))
def test_a_message_survives_both_ways(
    topic: str, payload: bytes, qos: int, retain: bool, duplicate: bool, number: int, codec: Codec
) -> None:
    sent = Publish(topic, payload, qos, retain, number if qos else 0, duplicate and qos > 0)
    assert read(codec, codec.encode(sent)) == sent


@given(
    TOPICS, BLOBS, QOS, IDS, st.integers(0, 1), st.none() | st.integers(0, 2**32 - 1),
    st.none() | TEXTS, st.none() | TOPICS, st.none() | BLOBS, PAIRS, st.none() | st.integers(1, 65_535),
)  # fmt: skip
def test_messages_written_by_another_library_are_understood(
    topic: str, payload: bytes, qos: int, number: int, form: int, expiry_s: int | None,
    content: str | None, reply: str | None, correlation: bytes | None, user: list[tuple[str, str]],
    alias: int | None,
) -> None:  # fmt: skip
    raw = mqtt5.PublishPacket(
        topic,
        payload,
        qos=mqtt5.QoS(qos),
        packet_id=number if qos else None,
        payload_format_indicator=form,
        message_expiry_interval=expiry_s,
        content_type=content,
        response_topic=reply,
        correlation_data=correlation,
        user_properties=user,
        topic_alias=alias,
    ).write()
    found = read(Codec5(), raw)
    assert isinstance(found, Publish)
    assert (found.topic, found.payload, found.qos, found.alias) == (topic, payload, qos, alias or 0)
    extras = Extras(form, expiry_s, content, reply, correlation, tuple(user))
    assert (found.extras or Extras()) == extras
    assert read(Codec5(), Codec5().encode(found._replace(alias=0))) == found._replace(alias=0)


@given(
    TEXTS,
    st.none() | TEXTS,
    st.none() | BLOBS,
    st.booleans(),
    st.integers(0, 65_535),
    st.booleans(),
    QOS,
    PAIRS,
)
def test_introductions_written_by_another_library_are_understood(
    name: str, user: str | None, password: bytes | None, clean: bool, alive_s: int, has_will: bool, qos: int,
    pairs: list[tuple[str, str]],
) -> None:  # fmt: skip
    will = mqtt5.Will(
        "gone", payload=b"bye", qos=mqtt5.QoS(qos), will_delay_interval=3, user_properties=pairs
    )
    raw = mqtt5.ConnectPacket(
        name,
        username=user,
        password=password,
        clean_start=clean,
        keep_alive=alive_s,
        will=will if has_will else None,
        session_expiry_interval=60,
        receive_max=7,
        max_packet_size=1_000,
        topic_alias_max=3,
        user_properties=pairs,
    ).write()
    extras = Extras(user=tuple(pairs)) if pairs else None
    left = Publish("gone", b"bye", qos, extras=extras) if has_will else None
    assert read(Codec5(), raw) == Connect(
        5, name, clean, alive_s, left, user, password, 7, 1_000, 60, will_delay_s=3 if has_will else 0
    )


@given(
    IDS,
    st.lists(st.tuples(TOPICS, QOS, st.booleans(), st.booleans(), st.integers(0, 2)), min_size=1, max_size=4),
)
def test_subscriptions_written_by_another_library_are_understood(
    number: int, wanted: list[tuple[str, int, bool, bool, int]]
) -> None:
    filters = [
        mqtt5.TopicFilter(
            pattern,
            max_qos=mqtt5.QoS(qos),
            no_local=local,
            retain_as_published=kept,
            retain_handling=mqtt5.RetainHandling(handling),
        )
        for pattern, qos, local, kept, handling in wanted
    ]
    raw = mqtt5.SubscribePacket(number, filters, subscription_id=9).write()
    assert read(Codec5(), raw) == Subscribe(number, tuple(Filter(*line, (9,)) for line in wanted))
    patterns = tuple(line[0] for line in wanted)
    assert read(Codec5(), mqtt5.UnsubscribePacket(number, list(patterns)).write()) == Unsubscribe(
        number, patterns
    )


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (mqtt5.PubAckPacket(7), Acknowledge(PacketType.PUBACK, 7)),
        (mqtt5.PubRecPacket(7, reason_code=mqtt5.PubRecReasonCode.QUOTA_EXCEEDED, reason_str="full"),
         Acknowledge(PacketType.PUBREC, 7, 0x97)),
        (mqtt5.PubRelPacket(7), Acknowledge(PacketType.PUBREL, 7)),
        (mqtt5.PubCompPacket(7, reason_code=mqtt5.PubCompReasonCode.PACKET_ID_NOT_FOUND),
         Acknowledge(PacketType.PUBCOMP, 7, 0x92)),
        (mqtt5.PingReqPacket(), Ping()),
        (mqtt5.DisconnectPacket(), Disconnect()),
        (mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode(4), reason_str="x"), Disconnect(4)),
        (mqtt5.DisconnectPacket(session_expiry_interval=9), Disconnect(0, 9)),
    ],
)  # fmt: skip
def test_short_packets_written_by_another_library_are_understood(raw: mqtt5.Packet, meant: object) -> None:
    assert read(Codec5(), raw.write()) == meant


def test_another_library_reads_what_we_write() -> None:
    codec = Codec5()

    def back(sent: object) -> mqtt5.Packet:
        raw = codec.encode(sent)  # type: ignore[arg-type]
        found, size = mqtt5.read(memoryview(raw))
        assert size == len(raw)
        return found

    accepted = back(Connack(0, True, "unnamed-1", 60, 10, 1_000, 4))
    assert isinstance(accepted, mqtt5.ConnAckPacket)
    assert accepted.session_present
    assert (accepted.assigned_client_id, accepted.session_expiry_interval) == ("unnamed-1", 60)
    assert (accepted.receive_max, accepted.max_packet_size, accepted.topic_alias_max) == (10, 1_000, 4)
    assert accepted.shared_subscription_available
    for kind in (PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP):
        assert back(Acknowledge(kind, 9)).packet_id == 9  # type: ignore[union-attr]
    assert back(Acknowledge(PacketType.PUBCOMP, 9, Code.ID_NOT_FOUND)).reason_code == 0x92  # type: ignore[union-attr]
    assert back(Granted(PacketType.SUBACK, 3, (0, 2, 0x8F))).reason_codes == [0, 2, 0x8F]  # type: ignore[union-attr]
    assert back(Granted(PacketType.UNSUBACK, 3, (0, 0x11))).reason_codes == [0, 0x11]  # type: ignore[union-attr]


@pytest.mark.parametrize("code", [code for code in Code if code >= 0x80])
def test_every_reason_can_be_told(code: Code) -> None:
    told = 0
    for sent, kind in ((Disconnect(code), mqtt5.DisconnectPacket), (Connack(code), mqtt5.ConnAckPacket)):
        try:
            raw = Codec5().encode(sent)
        except ValueError:
            continue
        found, _ = mqtt5.read(memoryview(raw))
        assert isinstance(found, kind)
        told += found.reason_code == code
    in_answers_only = (Code.ID_NOT_FOUND,)
    assert told or code in in_answers_only


@given(st.sampled_from(CODECS), st.integers(0, 255), st.binary(max_size=60))
def test_noise_is_a_packet_or_malformed_and_nothing_else(codec: Codec, first: int, body: bytes) -> None:
    with contextlib.suppress(Malformed):
        codec.decode(first, body)


GOOD = [
    connect("a"), publish("a/b", b"x", 1), subscribe("a/+"), packet(0xA2, 1, b"\0", text("a")),
    mqtt5.PublishPacket("t", b"p", content_type="json", user_properties=[("k", "v")], topic_alias=2).write(),
    mqtt5.ConnectPacket("c", will=mqtt5.Will("w", payload=b"x", content_type="t"), username="u").write(),
    mqtt5.PubRecPacket(3, reason_str="why").write(), b"\xe0\x00", b"\xc0\x00",
]  # fmt: skip


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=3))
def test_never_laxer_than_another_library(raw: bytes, changes: list[tuple[int, int]]) -> None:
    spoilt = bytearray(raw)
    for at, value in changes:
        spoilt[at % len(spoilt)] = value
    try:
        frames = cut(bytes(spoilt))
        if len(frames) != 1:
            return
        Codec5().decode(*frames[0])
    except Malformed:
        return
    mqtt5.read(memoryview(bytes(spoilt)))  # raises if it finds fault with what we took


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: f"v{codec.version}")
@pytest.mark.parametrize(
    "topic",
    [
        b"a/+",
        b"#",
        b"a\0b",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"a\x1b[31m",
        b"\xef\xb7\x90",
        b"\xef\xbf\xbe",
    ],
)
def test_hostile_topics_are_malformed(codec: Codec, topic: bytes) -> None:
    raw = packet(0x30, text(topic), b"\0" if codec.version == 5 else b"", b"x")
    with pytest.raises(Malformed):
        read(codec, raw)


@pytest.mark.parametrize(
    "raw",
    [
        packet(0x36, text("a"), 1, b"x"),
        packet(0x38, text("a"), b"x"),
        packet(0x32, text("a"), 0, b"x"),
        packet(0x30, text(""), b"x"),
        packet(0x32, text("a")),
        packet(0x82, 1),
        packet(0x82, 1, text("a"), b"\3"),
        packet(0x82, 1, text(""), b"\0"),
        packet(0x80, 1, text("a"), b"\0"),
        packet(0xA2, 1),
        packet(0x62, 0),
        packet(0x60, 1),
        packet(0x40, 1, b"\0"),
        packet(0xC0, b"x"),
        packet(0xE1),
        packet(0x20, 0),
        packet(0xF0),
        packet(0x10, text("MQTT"), b"\4\1", 0, text("a")),
        packet(0x10, text("MQTT"), b"\4\x40", 0, text("a"), text("pw")),
        packet(0x10, text("MQTT"), b"\4\x1e", 0, text("a"), text("w"), text("m")),
        packet(0x10, text("MQTT"), b"\4\x22", 0, text("a")),
        packet(0x10, text("MQTT"), b"\4\6", 0, text("a"), text("w/#"), text("m")),
        packet(0x10, text("MQTT"), b"\4\6", 0, text("a"), text(""), text("m")),
        packet(0x10, text("MQTT"), b"\4\0", 0, text("")),
        packet(0x10, text("MQTT"), b"\4\2", 0, text("a"), b"more"),
    ],
)  # fmt: skip
def test_broken_rules_of_3_1_1_are_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read(Codec311(), raw)


def test_a_will_of_3_1_1_is_read() -> None:
    raw = packet(
        0x10, text("MQTT"), b"\4\xf6", 30, text("a"), text("w"), text("bye"), text("me"), text("secret")
    )
    will = Publish("w", b"bye", 2, True)
    assert read(Codec311(), raw) == Connect(4, "a", True, 30, will, "me", b"secret")


def test_3_1_1_has_no_words_for_some_things() -> None:
    codec = Codec311()
    assert codec.encode(Disconnect(Code.TAKEN_OVER)) == b""
    assert codec.encode(Connack(Code.MALFORMED)) == b""
    assert codec.encode(Connack(Code.CLIENT_ID_NOT_VALID)) == b"\x20\x02\x00\x02"
    assert codec.encode(Granted(PacketType.SUBACK, 1, (1, 0x8F))) == b"\x90\x04\x00\x01\x01\x80"
    assert codec.encode(Granted(PacketType.UNSUBACK, 1, (0, 0x11))) == b"\xb0\x02\x00\x01"
