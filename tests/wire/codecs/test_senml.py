"""SenML: the examples of RFC 8428 are read as it says, and what it forbids is set aside."""

from __future__ import annotations

import json

import cbor2
import numpy as np
import pytest

from bimetal.wire.codecs.senml import SenmlCborCodec, SenmlCodec

NOW_NS = 1_767_225_600_000_000_000
ONE = '[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]'
BASES = """[
 {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
 {"n":"current","t":-5,"v":1.2}, {"n":"current","t":-4,"v":1.3}, {"n":"current","v":1.7}]"""
KINDS = """[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
 {"n":"label","vs":"Machine Room"}, {"n":"open","vb":false}, {"n":"nfv-reader","vd":"aGkgCg"}]"""


def read(payload: str | bytes) -> dict[tuple[int, str], float]:
    """What is in a pack, by time and signal."""
    content = payload.encode() if isinstance(payload, str) else payload
    said = SenmlCodec().decode("a", [content], [NOW_NS])
    assert said.quarantined == ()
    return {
        (t, n): v
        for t, row in zip(said.time_ns.tolist(), said.values.tolist(), strict=True)
        for n, v in zip(said.signals, row, strict=True)
        if v == v
    }


def refusal(payload: object) -> str:
    """Why a pack is set aside."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    (found,) = SenmlCodec().decode("a", [content], [NOW_NS]).quarantined
    return found.reason


def test_a_record_without_a_time_is_of_now() -> None:
    assert read(ONE) == {(NOW_NS, "10e2073a01080063"): 23.1}


def test_base_fields_count_for_what_follows() -> None:
    at = 1_276_020_076_001_000_000
    assert read(BASES) == {
        (at, "voltage"): 120.1,
        (at - 5 * 10**9, "current"): 1.2,
        (at - 4 * 10**9, "current"): 1.3,
        (at, "current"): 1.7,
    }


def test_every_kind_of_value_is_known() -> None:
    assert read(KINDS) == {(NOW_NS, "temp"): 23.1, (NOW_NS, "open"): 0.0}
    left_out = SenmlCodec().decode("a", [KINDS.encode()], [NOW_NS]).left_out
    assert left_out == (("label", "text"), ("nfv-reader", "text"))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([{"bv": 20, "n": "t", "v": 1.5}], {(0, "t"): 21.5}),
        ([{"bv": 20, "n": "t"}, {"n": "t", "v": 1}], {(0, "t"): 21.0}),
        ([{"bs": 100, "n": "e", "s": 5}], {(0, "e.sum"): 105.0}),
        ([{"n": "e", "s": 5, "v": 2}], {(0, "e.sum"): 5.0, (0, "e"): 2.0}),
        ([{"bn": "room/1/", "n": "t", "v": 1}], {(0, "t"): 1.0}),
        ([{"bn": "room/1/t", "v": 1}], {(0, "t"): 1.0}),
        ([{"n": "t", "v": 1, "t": -60}], {(-60, "t"): 1.0}),
        ([{"n": "t", "v": 1, "ut": 5, "more": {"a": 1}}], {(0, "t"): 1.0}),
        ([{"n": "a", "v": 1}, {"n": "b", "v": 2}, {"n": "a", "v": 3}], {(0, "a"): 3.0, (0, "b"): 2.0}),
    ],
)
def test_packs_are_resolved(records: list[dict[str, object]], expected: dict[tuple[int, str], float]) -> None:
    assert read(json.dumps(records)) == {(NOW_NS + s * 10**9, n): v for (s, n), v in expected.items()}


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ({"n": "t", "v": 1}, "array"),
        ([1], "object"),
        ([{"n": "t", "v": "1"}], "v of SenML is a number"),
        ([{"n": "t", "v": True}], "v of SenML is a number"),
        ([{"n": "t", "vb": 1}], "true or false"),
        ([{"n": "t", "v": 1, "vs": "x"}], "two values"),
        ([{"n": "t", "v": 1, "bver": 11}], "version"),
        ([{"n": "t", "v": 1, "bver": "x"}], "version"),
        ([{"n": "t", "v": 1, "new_": 1}], "must be understood"),
        ([{"v": 1}], "no name"),
        ([{"n": "-t", "v": 1}], "no name"),
        ([{"n": "a b", "v": 1}], "no name"),
        ([{"n": "::", "v": 1}], "no name"),
        ([{"n": 3, "v": 1}], "is a text"),
        ([{"n": "t", "v": 1, "t": 1e30}], "its time"),
        ([{"n": "t", "v": 1, "t": -1e12}], "its time"),
        ([{"n": "t", "v": 10**400}], "too large"),
        ([{"n": "t", "vs": "x"}], "no record"),
        (b'[{"n":"t","v":NaN}]', "JSON"),
    ],
)
def test_what_the_rfc_forbids_is_set_aside_in_words(records: object, why: str) -> None:
    assert why in refusal(records)


def test_cbor_has_numbers_for_fields_or_their_names() -> None:
    numbered = [{-2: "urn:dev:ow:1:", -3: 1_276_020_076, 0: "t", 1: "Cel", 2: 23.5}, {0: "h", 6: 1, 4: True}]
    named = [
        {"bn": "urn:dev:ow:1:", "bt": 1_276_020_076, "n": "t", "v": 23.5},
        {"n": "h", "t": 1, "vb": True},
    ]
    found = [SenmlCborCodec().decode("a", [cbor2.dumps(one)], [NOW_NS]) for one in (numbered, named)]
    for said in found:
        assert said.signals == ("t", "h")
        assert said.time_ns.tolist() == [1_276_020_076 * 10**9, 1_276_020_077 * 10**9]
        np.testing.assert_array_equal(said.values, [[23.5, np.nan], [np.nan, 1.0]])
