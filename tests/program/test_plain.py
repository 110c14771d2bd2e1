"""Bytes of strangers are looked through before a decoder sees them."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns.errors import BadInput
from bimetal.program.plain import check_plain

items = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def depth(item: Any) -> int:
    """How deep lists and maps are nested."""
    if isinstance(item, dict):
        return 1 + max(map(depth, item.values()), default=0)
    return 1 + max(map(depth, item), default=0) if isinstance(item, list) else 0


@given(items)
def test_plain_items_pass(item: Any) -> None:
    if depth(item) <= 8:
        check_plain(cbor2.dumps(item, canonical=True), "test")


HOSTILE = {
    "nothing": b"",
    "a tag": cbor2.dumps(cbor2.CBORTag(35, "(a+)+$")),
    "a date": bytes.fromhex("c11a514b67b0"),
    "a large number by tag": cbor2.dumps(2**80),
    "a decimal fraction": bytes.fromhex("c4821a3fffffff01"),
    "undefined": b"\xf7",
    "a simple value": b"\xf8\xff",
    "a list without end": b"\x9f\x01\xff",
    "text without end": b"\x7f\x61a\xff",
    "a break": b"\xff",
    "four billion items": b"\x9a\xff\xff\xff\xff",
    "2**63 bytes": b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "2**64 items": b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    "nested lists": b"\x81" * 100_000 + b"\x00",
    "nested maps": b"\xa1\x00" * 1000 + b"\x00",
    "reserved length": b"\x1c",
    "two items": b"\x01\x02",
    "half a float": b"\xfa\x00",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_plain_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput) as e:
        check_plain(data, "test")
    assert str(e.value).startswith("test: ")


@given(st.binary(max_size=64))
def test_what_passes_can_be_decoded(data: bytes) -> None:
    try:
        check_plain(data, "test")
    except BadInput:
        return
    try:
        cbor2.loads(data)
    except (cbor2.CBORDecodeError, UnicodeDecodeError, TypeError):
        return
