"""UBJSON is read within bounds; what is broken is refused, never endless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.learn.imports.ubjson import DEEPEST, decode


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"Z", None),
        (b"NT", True),
        (b"i\xff", -1),
        (b"U\xff", 255),
        (b"I\x01\x00", 256),
        (b"l\x00\x01\x00\x00", 65536),
        (b"L" + bytes(7) + b"\x07", 7),
        (b"d\x3f\x80\x00\x00", 1.0),
        (b"D\x3f\xf0" + bytes(6), 1.0),
        (b"SU\x02ab", "ab"),
        (b"Cx", "x"),
        (b"[i\x01F]", [1, False]),
        (b"[$d#U\x02\x3f\x80\x00\x00\x40\x00\x00\x00", [1.0, 2.0]),
        (b"[#U\x02i\x01SU\x01a", [1, "a"]),
        (b"{U\x01ai\x01U\x01b[]}", {"a": 1, "b": []}),
        (b"{#U\x01U\x01aZ", {"a": None}),
    ],
)
def test_values_of_every_kind(data: bytes, says: object) -> None:
    assert decode(data) == says


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"?",
        b"[",
        b"[i\x01",
        b"{U\x01a",
        b"SU\x09ab",
        b"Si\xff",
        b"[$d",
        b"[$T#L" + bytes(4) + b"\xff\xff\xff\xff",
        b"[#l\x7f\xff\xff\xff",
        b"[" * (DEEPEST + 2),
        b"[$D#l\x7f\xff\xff\xff",
        b"SU\x01\xff",
        b"[#dAAAA",
    ],
)
def test_what_is_broken_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decode(data)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return
