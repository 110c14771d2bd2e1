"""Contributions: bytes that come back exactly, or are refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.federate.contribution import Contribution, _digest, from_bytes, subject_of, to_bytes
from bimetal.federate.moments import Moments, moments_of
from bimetal.nouns.errors import BadInput, Unsupported
from tests.federate.given import SUBJECT, contribution, readings

CONTENT = contribution("größe-1", moments_of(readings(1)))


def test_a_contribution_comes_back_bit_for_bit() -> None:
    found = from_bytes(CONTENT)
    moments = moments_of(readings(1))
    assert (found.device, found.round, found.subject) == ("größe-1", 7, SUBJECT)
    assert found.moments.count == moments.count
    assert found.moments.mean.tobytes() == moments.mean.tobytes()
    np.testing.assert_array_equal(np.triu(found.moments.products), np.triu(moments.products))
    np.testing.assert_array_equal(found.moments.products, found.moments.products.T)


def test_it_is_small_and_holds_no_reading() -> None:
    assert len(CONTENT) == 34 + 9 + 8 * (1 + 3 + 6) + 16
    assert not any(struct.pack("<d", x) in CONTENT for x in readings(1).ravel())


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 7))
def test_one_flipped_bit_is_refused(place: int, bit: int) -> None:
    content = bytearray(CONTENT)
    content[place] ^= 1 << bit
    with pytest.raises((BadInput, Unsupported)):
        from_bytes(bytes(content))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    for hostile in (content, b"BMFC\x01\x00" + content, CONTENT + content + b"x", CONTENT[: len(content)]):
        if hostile != CONTENT:
            with pytest.raises((BadInput, Unsupported)):
                from_bytes(hostile)


@pytest.mark.parametrize("device", [b"\xff\xfe", b"a\n", b"", b"a/b"])
def test_a_device_id_that_cannot_be_one_is_refused(device: bytes) -> None:
    head = bytearray(CONTENT[:34])
    struct.pack_into("<H", head, 32, len(device))
    body = bytes(head) + device + CONTENT[34 + 9 : -16]
    with pytest.raises(BadInput):
        from_bytes(body + _digest(body))


def test_a_newer_format_is_refused() -> None:
    content = bytearray(CONTENT)
    struct.pack_into("<H", content, 4, 2)
    with pytest.raises(Unsupported):
        from_bytes(bytes(content))


@pytest.mark.parametrize(
    "bad",
    [
        Contribution("a", -1, SUBJECT, moments_of(readings(1))),
        Contribution("a", 1, b"short", moments_of(readings(1))),
        Contribution("", 1, SUBJECT, moments_of(readings(1))),
        Contribution("a", 1, SUBJECT, Moments(1.0, np.zeros(0), np.zeros((0, 0)))),
    ],
)
def test_what_cannot_be_said_is_refused(bad: Contribution) -> None:
    with pytest.raises(BadInput):
        to_bytes(bad)


def test_subjects_differ_when_their_texts_do() -> None:
    assert subject_of("a, b") != subject_of("b, a")
    assert len(subject_of("\ud800")) == 16
