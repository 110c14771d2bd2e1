"""Wasm strips: the structs of four devices into strips and back again, as code.

Words are turned round four by four: from four words of one device to one word of four devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bimetal.program.layout import Field, Layout
from bimetal.program.node import DTYPES
from bimetal.targets import wasm_code as code
from bimetal.targets import wasm_vector as vector
from bimetal.targets.lane import WORD
from bimetal.targets.wasm_loop import stepped, times, total
from bimetal.targets.wasm_vector import BYTES, LANES, V128

FIRST, APART = 0, 1
"""The arguments of a function that moves structs: the first one's address, how far they are apart."""
DEVICES = (FIRST, 2, 3, 4)
AT = 5
ROWS = (6, 7, 8, 9)
HALVES = (10, 11, 12, 13)
SQUARES = 4
"""How many are moved in one turn of a loop."""
LOCALS = [code.I32] * 4 + [V128] * 8


def taken(layout: Layout, strip: int) -> bytes:
    """Return a function (first, apart) that moves four structs into a strip at an address."""
    return _moved(layout, strip, into=True)


def given(layout: Layout, strip: int) -> bytes:
    """Return a function (first, apart) that moves a strip back into four structs."""
    return _moved(layout, strip, into=False)


def _moved(layout: Layout, strip: int, *, into: bool) -> bytes:
    words = sum(f.size for f in layout.fields if DTYPES[f.dtype].itemsize == WORD)
    turned = words // BYTES * BYTES
    body = b"".join(
        total([code.get(before), code.get(APART)]) + code.put(device) for before, device in pairwise(DEVICES)
    )
    often = turned // (BYTES * SQUARES) * BYTES * SQUARES
    if often:
        squares = b"".join(_square(strip, at, into, moving=True) for at in range(0, BYTES * SQUARES, BYTES))
        body += stepped(AT, often, BYTES * SQUARES, squares)
    body += b"".join(_square(strip, at, into, moving=False) for at in range(often, turned, BYTES))
    for at in range(turned, words, WORD):
        body += _word(strip, at, into)
    element = words // WORD
    for field in layout.fields:
        width = DTYPES[field.dtype].itemsize
        if width != WORD:
            body += _narrow(field, strip + element * BYTES, into)
            element += field.size // width
    return code.function(LOCALS, body)


def _square(strip: int, at: int, into: bool, *, moving: bool) -> bytes:
    """Four words of each of four devices, from byte `at` on, after AT if that moves; also the way back."""
    far = [total([code.get(d), code.get(AT)]) if moving else code.get(d) for d in DEVICES]
    near = times(code.get(AT), LANES) if moving else code.i32(0)
    structs = [(place, at) for place in far]
    strips = [(near, strip + at * LANES + BYTES * k) for k in range(LANES)]
    source, wanted = (structs, strips) if into else (strips, structs)
    loads = b"".join(
        place + vector.load(offset) + code.put(row) for row, (place, offset) in zip(ROWS, source, strict=True)
    )
    halves = _picked(ROWS, HALVES, (0, 1, 2, 3), ((0, 4, 1, 5), (2, 6, 3, 7)))
    whole = _picked(HALVES, ROWS, (0, 2, 1, 3), ((0, 1, 4, 5), (2, 3, 6, 7)))
    stores = b"".join(
        place + code.get(row) + vector.store(offset)
        for row, (place, offset) in zip(ROWS, wanted, strict=True)
    )
    return loads + halves + whole + stores


def _picked(
    source: Sequence[int], wanted: Sequence[int], pairs: Sequence[int], picks: Sequence[Sequence[int]]
) -> bytes:
    """Pick words from pairs of vectors: the first two of `pairs`, in both ways, then the other two."""
    out = b""
    for k, local in enumerate(wanted):
        first, second = pairs[k // 2 * 2 : k // 2 * 2 + 2]
        both = code.get(source[first]) + code.get(source[second])
        out += both + vector.shuffle(picks[k % 2]) + code.put(local)
    return out


def _word(strip: int, at: int, into: bool) -> bytes:
    """One word of each device."""
    row, near = ROWS[0], strip + at * LANES
    if not into:
        out = code.i32(0) + vector.load(near) + code.put(row)
        return out + b"".join(
            code.get(d) + code.get(row) + vector.store_lane(k, at) for k, d in enumerate(DEVICES)
        )
    out = vector.words([0] * LANES) + code.put(row)
    for k, device in enumerate(DEVICES):
        out += code.get(device) + code.get(row) + vector.load_lane(k, at) + code.put(row)
    return out + code.i32(0) + code.get(row) + vector.store(near)


def _narrow(field: Field, near: int, into: bool) -> bytes:
    """The elements of a field that are narrower than a word, one by one."""
    width = DTYPES[field.dtype].itemsize
    body = b""
    for k, device in enumerate(DEVICES):
        far = total([code.get(device), times(code.get(AT), width)])
        here = times(code.get(AT), BYTES)
        if into:
            body += here + far + code.load(field.dtype, field.offset) + code.store("i32", near + WORD * k)
        else:
            body += far + here + code.load("i32", near + WORD * k) + code.store(field.dtype, field.offset)
    return stepped(AT, field.size // width, 1, body)
