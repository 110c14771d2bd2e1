"""CBOR: the shapes of JSON, and nothing else that CBOR could hold."""

from __future__ import annotations

import datetime as dt

import cbor2
import pytest

from bimetal.wire.codecs.cbor import CborCodec

NOW_NS = 1_767_225_600_000_000_000
MS = NOW_NS // 10**6


@pytest.mark.parametrize(
    ("said", "times", "values"),
    [
        ({"ts": MS, "a": 1.5}, [NOW_NS], [[1.5]]),
        ([{"ts": MS, "a": 1}, {"ts": MS + 1, "a": True}], [NOW_NS, NOW_NS + 10**6], [[1.0], [1.0]]),
        ({"ts": [MS, MS + 2], "a": [1, 2]}, [NOW_NS, NOW_NS + 2 * 10**6], [[1.0], [2.0]]),
        ({"ts": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "a": 1}, [NOW_NS], [[1.0]]),
        ({"ts": cbor2.CBORTag(1, 1_767_225_600.5), "a": 1}, [NOW_NS + 5 * 10**8], [[1.0]]),
        ({"a": 2.5, "word": "x", "more": {"b": 1}}, [NOW_NS], [[2.5]]),
    ],
)
def test_the_shapes_of_json_are_read(said: object, times: list[int], values: list[list[float]]) -> None:
    found = CborCodec().decode("x", [cbor2.dumps(said, datetime_as_timestamp=True)], [NOW_NS])
    assert found.quarantined == ()
    assert (found.time_ns.tolist(), found.values.tolist()) == (times, values)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (cbor2.dumps({3: 1.0}), "name is a text"),
        (b"\xa2aa\x01aa\x02", "CBOR"),  # a key twice
        (cbor2.dumps(cbor2.CBORTag(35, "(a+)+$")), "CBOR"),
        (cbor2.dumps(cbor2.CBORTag(36, "Content-Type: text/plain\n\n")), "CBOR"),
        (cbor2.dumps(cbor2.CBORTag(258, [1, 2])), "CBOR"),
        (b"\xd8\x1c\x81\xd8\x1d\x00", "CBOR"),  # an array that holds itself
        (b"\x9b" + b"\x7f" + b"\xff" * 7, "CBOR"),  # an array of 2^63 elements
        (b"\x5b\x00\x00\x00\xff\xff\xff\xff\xff", "CBOR"),  # a terabyte of bytes
        (b"\x81" * 10_000, "CBOR"),
        (cbor2.dumps({"a": "x"}), "no signal"),
        (cbor2.dumps({"ts": "x", "a": 1}), "no time"),
        (cbor2.dumps({"ts": dt.datetime(1, 1, 1, tzinfo=dt.UTC), "a": 1}), "no time"),
    ],
)
def test_what_else_cbor_can_hold_is_set_aside(payload: bytes, why: str) -> None:
    good = cbor2.dumps({"ts": MS, "a": 1})
    found = CborCodec().decode("x", [payload, good], [NOW_NS, NOW_NS])
    assert [q.index for q in found.quarantined] == [0]
    assert why in found.quarantined[0].reason
    assert found.message.tolist() == [1]


def test_a_number_beyond_all_floats_is_missing() -> None:
    found = CborCodec().decode("x", [cbor2.dumps({"ts": MS, "a": 10**400, "b": 1})], [NOW_NS])
    assert found.values.tolist()[0][1] == 1.0
    assert found.values[0, 0] != found.values[0, 0]
