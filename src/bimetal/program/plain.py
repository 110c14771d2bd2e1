"""The plain form of a program: what its canonical bytes hold, item by item."""

from __future__ import annotations

from typing import Any

import msgspec

from bimetal.nouns.errors import BadInput

DEEPEST = 8


class PlainPlace(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """An input or a parameter."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    unit: str
    low: float
    high: float


class PlainState(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state; `init` is its first value, little-endian."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    clock: tuple[int, int]
    init: bytes


class PlainNode(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A letter; `args` are places among the nodes before it, `attr` is as canonical.ATTRIBUTES says."""

    op: str
    dtype: str
    shape: tuple[int, ...]
    args: tuple[int, ...]
    attr: Any


class PlainSet(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What is written to a state, and at which item."""

    state: str
    value: int
    at: int | None


class PlainOutput(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A named output."""

    name: str
    value: int


class PlainProgram(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """All of it."""

    format: int
    title: str
    inputs: tuple[PlainPlace, ...]
    params: tuple[PlainPlace, ...]
    states: tuple[PlainState, ...]
    nodes: tuple[PlainNode, ...]
    sets: tuple[PlainSet, ...]
    outputs: tuple[PlainOutput, ...]


def check_plain(data: bytes, where: str) -> None:
    """Check that bytes are one plain CBOR item, before a decoder sees them; raises BadInput.

    Plain: whole numbers, byte and text strings, arrays, maps, true, false, null and floats, with
    lengths given and true, nested at most DEEPEST deep, nothing after the end; no tags.
    """
    at, open_items = 0, [1]
    while open_items:
        if open_items[-1] == 0:
            open_items.pop()
            continue
        open_items[-1] -= 1
        major, length, at = _head(data, at, where)
        if major in (2, 3):
            at += length
        elif major in (4, 5):
            if length > len(data) or len(open_items) > DEEPEST:
                raise BadInput(f"a list at byte {at} is too long or too deep", where=where)
            open_items.append(length * (major - 3))
        if at > len(data):
            raise BadInput(f"it ends early, after {len(data)} bytes", where=where)
    if at != len(data):
        raise BadInput(f"{len(data) - at} bytes follow its end", where=where)


def _head(data: bytes, at: int, where: str) -> tuple[int, int, int]:
    """Return the major type, the number beside it, and where the content starts."""
    if at >= len(data):
        raise BadInput(f"it ends early, after {len(data)} bytes", where=where)
    major, low = data[at] >> 5, data[at] & 31
    if major == 6 or low > 27 or (major == 7 and low not in (20, 21, 22, 25, 26, 27)):
        raise BadInput(f"byte {at} is of a kind that is not used here", where=where)
    wide = 1 << (low - 24) if low >= 24 else 0
    number = int.from_bytes(data[at + 1 : at + 1 + wide], "big") if wide else low
    return major, number, at + 1 + wide
