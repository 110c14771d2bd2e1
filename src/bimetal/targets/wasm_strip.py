"""Wasm strips: the structs of four devices into strips and back again, as code.

Words are turned round four by four: from four words of one device to one word of four devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bimetal.program.layout import Layout
from bimetal.program.node import DTYPES
from bimetal.targets import wasm_code as code
from bimetal.targets import wasm_vector as vector
from bimetal.targets.lane import WORD, Run, narrow_runs
from bimetal.targets.wasm_loop import stepped, times, total
from bimetal.targets.wasm_vector import BYTES, LANES, V128, VECTOR

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
    for run in narrow_runs(layout):
        fours = run.count // WORD * WORD if run.dtype == "u8" else 0
        if fours:
            body += stepped(AT, fours, WORD, _four(run, strip + run.first * BYTES, into))
        if fours < run.count:
            body += _narrow(run, fours, strip + run.first * BYTES, into)
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


def _four(run: Run, near: int, into: bool) -> bytes:
    """Four bytes of each device, after AT: a word of each, taken apart or put together."""
    row, here = ROWS[0], times(code.get(AT), BYTES)
    low = vector.words([255] * LANES) + VECTOR["and"]
    far = [total([code.get(device), code.get(AT)]) for device in DEVICES]
    if into:
        out = vector.words([0] * LANES) + code.put(row)
        for k, place in enumerate(far):
            out += place + code.get(row) + vector.load_lane(k, run.offset) + code.put(row)
        for j in range(WORD):
            byte = code.get(row) + code.i32(8 * j) + VECTOR["i32x4.shr_u"] + low
            out += here + byte + vector.store(near + BYTES * j)
        return out
    out = vector.words([0] * LANES) + code.put(row)
    for j in range(WORD):
        byte = here + vector.load(near + BYTES * j) + low + code.i32(8 * j) + VECTOR["i32x4.shl"]
        out += byte + code.get(row) + VECTOR["or"] + code.put(row)
    return out + b"".join(
        place + code.get(row) + vector.store_lane(k, run.offset) for k, place in enumerate(far)
    )


def _narrow(run: Run, start: int, near: int, into: bool) -> bytes:
    """The elements of a run from one on, one by one."""
    width = DTYPES[run.dtype].itemsize
    body, moved, goal = b"", start * width, near + start * BYTES
    for k, device in enumerate(DEVICES):
        far = total([code.get(device), times(code.get(AT), width)])
        here = times(code.get(AT), BYTES)
        if into:
            body += here + far + code.load(run.dtype, run.offset + moved) + code.store("i32", goal + WORD * k)
        else:
            body += far + here + code.load("i32", goal + WORD * k) + code.store(run.dtype, run.offset + moved)
    return stepped(AT, run.count - start, 1, body)
