"""Messages of many devices become one batch; what cannot be used is set aside, its neighbours are not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bimetal.nouns.signal import Signal
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.format import Formats
from bimetal.wire.gather import gather
from bimetal.wire.transport import Message

KNOWN = {"pressure": Signal("pressure", "bar"), "flow": Signal("flow", "l/min")}
NOW = 1_700_000_000_000_000_000


def message(topic: str, payload: object, received_ns: int = NOW) -> Message:
    """A message with a JSON payload, or with these very bytes."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic, content, "client", received_ns, 1)


def test_readings_of_devices_meet_in_one_batch() -> None:
    found = gather(
        [
            message("readings/a", {"ts": 2000, "pressure": 1.5}),
            message("readings/b", {"ts": 1000, "flow": 7, "humidity": 40}),
            message("readings/a", {"ts": 1000, "pressure": 1.0, "flow": 5}),
        ],
        JsonCodec(),
        KNOWN,
    )
    batch = found.batch
    assert batch.devices == ("a", "b")
    assert [s.name for s in batch.signals] == ["pressure", "flow", "humidity"]
    assert batch.signals[0].unit == "bar"
    assert batch.time_ns.tolist() == [10**9, 2 * 10**9, 10**9]
    np.testing.assert_array_equal(
        batch.values, [[1.0, 5.0, np.nan], [1.5, np.nan, np.nan], [np.nan, 7.0, 40.0]]
    )
    assert found.poison == ()


def test_a_reading_without_a_time_has_that_of_its_arrival() -> None:
    assert gather([message("readings/a", {"flow": 1})], JsonCodec(), KNOWN).batch.time_ns.tolist() == [NOW]


@pytest.mark.parametrize(
    ("topic", "payload", "word"),
    [
        ("weather/a", {"flow": 1}, "readings/"),
        ("readings/", {"flow": 1}, "id"),
        ("readings/a/b", {"flow": 1}, "no format"),
        ("readings/a/cbor/b", {"flow": 1}, "no format"),
        ("readings//cbor", b"\xa1aa\x01", "id"),
        ("readings/" + "x" * 200, {"flow": 1}, "characters long"),
        ("readings/\x1b[31m", {"flow": 1}, "character"),
        ("readings/a", b"", "empty"),
        ("readings/a", b"{", "JSON"),
        ("readings/a", b'{"flow": NaN}', "JSON"),
        ("readings/a", b"\xff\xfe", "JSON"),
        ("readings/a", {"flow": "wet"}, "number"),
        ("readings/a", {"ts": -1, "flow": 1}, "time"),
        ("readings/a", b"[" * 100, "deep"),
    ],
)
def test_poison_is_set_aside_with_its_reason(topic: str, payload: object, word: str) -> None:
    poison, healthy = message(topic, payload), message("readings/a", {"ts": 1000, "flow": 3})
    found = gather([healthy, poison, healthy], JsonCodec(), KNOWN)
    assert [p.message for p in found.poison] == [poison]
    assert word in found.poison[0].reason
    assert found.batch.values[:, 1].tolist() == [3.0, 3.0]


def test_nothing_makes_an_empty_batch_of_the_known_signals() -> None:
    found = gather([], JsonCodec(), KNOWN)
    assert len(found.batch) == 0
    assert found.batch.signals == tuple(KNOWN.values())


def test_one_device_may_speak_in_several_formats_at_once() -> None:
    said = [
        Message("readings/a", b'{"ts": 3000, "pressure": 1.5}', "a", NOW, 1),
        Message("readings/a/csv", b"ts,flow\n1000,7\n4000,8\n", "a", NOW, 1),
        Message("readings/a", b"pump flow=9 2000000000", "a", NOW, 1, "application/influx; charset=utf-8"),
        Message("readings/a", b"\xa2bts\x19\x13\x88dflow\x0a", "a", NOW, 1, "application/cbor"),
        Message("readings/a/influx", b"pump flow=", "a", NOW, 1),
        Message("readings/a", b'{"ts": 6000, "flow": 1}', "a", NOW, 1, "text/x-anything"),
    ]
    found = gather(said, Formats(JsonCodec()), KNOWN)
    assert found.batch.devices == ("a",)
    assert [s.name for s in found.batch.signals] == ["pressure", "flow", "pump.flow"]
    assert found.batch.time_ns.tolist() == [k * 10**9 for k in (1, 2, 3, 4, 5, 6)]
    values = found.batch.values
    np.testing.assert_array_equal(values[:, 0], [np.nan, np.nan, 1.5, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(values[:, 1], [7, np.nan, np.nan, 8, 10, 1])
    np.testing.assert_array_equal(values[:, 2], [np.nan, 9, np.nan, np.nan, np.nan, np.nan])
    assert [p.message for p in found.poison] == [said[4]]


def test_messages_that_are_only_together_what_they_seem_are_read_apart() -> None:
    """Joined by commas these make three objects; by themselves only the last two are any."""
    said = [
        Message("readings/a", b'{"flow": 1', "a", NOW, 1),
        Message("readings/b", b'"pressure": 2}', "b", NOW, 1),
        Message("readings/c", b'{"flow": 3},{"flow": 4}', "c", NOW, 1),
        *(Message(f"readings/d{k}", b'{"flow": %d}' % k, "d", NOW, 1) for k in range(4)),
    ]
    found = gather(said, JsonCodec(), KNOWN)
    assert found.batch.devices == ("d0", "d1", "d2", "d3")
    assert found.batch.values[:, 1].tolist() == [0, 1, 2, 3]
    assert [p.message for p in found.poison] == said[:3]


@pytest.mark.parametrize(
    "odd",
    [
        b'{"ts": 1000, "flow": 1, "flow": 2}',
        b'{"ts": 1000, "flow": "1"}',
        b'{"flow": 1, "ts": 1000}',
        b'{"ts": 1000.5, "flow": 1}',
        b'{"ts": 1e300, "flow": 1}',
        b'{"ts": "2026-01-01T00:00:00Z", "flow": 1}',
        b'{"ts": 1000, "flow": 1, "text": "}{"}',
        b'{"ts": 1000, "fl}ow": 1}',
        b'{"ts": 1000}',
        b'{"ts": -1, "flow": 1}',
        b'{"ts": 1000, "flow": 1e999}',
        b'{"ts": 1000, "flow": null}',
        b'{"ts": 1000, "flow": true}',
        b' {"ts": 1000, "flow": 1}',
        b"{}",
        b'{"a\\u0000": 1}',
    ],
)
def test_what_is_read_in_one_go_is_read_as_one_by_one(odd: bytes) -> None:
    plain = [b'{"ts": %d, "flow": %d.5}' % (1000 + k, k) for k in range(6)]
    for payloads in ([odd] * 5, [*plain, odd], [odd, *plain], plain):
        together = JsonCodec().decode("a", payloads, [NOW] * len(payloads))
        apart = [JsonCodec().decode("a", [payload], [NOW]) for payload in payloads]
        assert [q.index for q in together.quarantined] == [
            k for k, one in enumerate(apart) if one.quarantined
        ]
        assert together.time_ns.tolist() == [t for one in apart for t in one.time_ns.tolist()]
        seen = [
            {n: repr(v) for n, v in zip(one.signals, row, strict=True)}
            for one in apart
            for row in one.values.tolist()
        ]
        got = [
            {n: repr(v) for n, v in zip(together.signals, row, strict=True)}
            for row in together.values.tolist()
        ]
        for one, other in zip(got, seen, strict=True):
            assert {n: v for n, v in one.items() if v != "nan"} == {
                n: v for n, v in other.items() if v != "nan"
            }


def test_devices_with_many_signals_each_are_not_too_many_together() -> None:
    said = [
        Message(f"readings/d{k}", json.dumps({f"s{k}-{j}": j for j in range(300)}).encode(), "d", NOW, 1)
        for k in range(3)
    ]
    found = gather(said, JsonCodec(), {})
    assert found.poison == ()
    assert found.batch.devices == ("d0", "d1", "d2")
    assert found.batch.readings == 900


def test_one_device_that_is_too_much_alone_is_set_aside_alone() -> None:
    many = json.dumps({f"s{j}": j for j in range(600)}).encode()
    said = [Message("readings/a", b'{"flow": 1}', "a", NOW, 1), Message("readings/b", many, "b", NOW, 1)]
    found = gather(said, JsonCodec(), {})
    assert [p.message for p in found.poison] == said[1:]
    assert found.batch.devices == ("a",)
