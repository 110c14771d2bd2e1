"""Wasm grid: floats become octets, how many of a list of edges each is greater than, for 16 devices at once.

`octets(x, out, blocks, grid, count, row)`: `x` has rows of floats, `row` bytes each, for every 128
devices a block of them; `out` gets a block of octets (count, 128) with their highest bit turned. `grid` has
three i32 for every octet: the first byte of its edges, the one after the last, and where its column is in a
row. Every edge is compared: that has no branch that could be foretold wrongly, and for the some dozens of
edges that a column has it is faster than any search. NaN is greater than none.
"""

from __future__ import annotations

from bimetal.targets import wasm_code as code
from bimetal.targets import wasm_vector as vector
from bimetal.targets.kernels.blend import DEVICES, TURNED, UNIT
from bimetal.targets.wasm_code import OPS
from bimetal.targets.wasm_loop import advance, stepped, times, total
from bimetal.targets.wasm_vector import LANES, V128, VECTOR

X, OUT, BLOCKS, GRID, COUNT, ROW = range(6)
ENTRY, LAST, AT, END, PLACE, DEVICE, FOUND, LIMIT = range(6, 14)
VALUES = range(14, 18)
LOCALS = [code.I32] * 6 + [V128] * 6
PARAMS = 6
ENTRY_BYTES = 12

NARROW16, NARROW8, SUBTRACT = (b"\xfd" + code.unsigned(n) for n in (0x85, 0x65, 0x71))
"""i16x8 of two i32x4 and i8x16 of two i16x8, both signed; and a difference of i8x16."""


def octets() -> bytes:
    """Return the function."""
    sixteen = stepped(DEVICE, DEVICES, UNIT, _sixteen())
    each = sixteen + advance(OUT, code.i32(DEVICES)) + advance(ENTRY, code.i32(ENTRY_BYTES))
    entries = code.get(GRID) + code.put(ENTRY)
    entries += code.get(GRID) + times(code.get(COUNT), ENTRY_BYTES) + OPS["i32.add"] + code.put(LAST)
    entries += _while(ENTRY, LAST, each)
    block = entries + advance(X, times(code.get(ROW), DEVICES))
    block += total([code.get(BLOCKS), code.i32(-1)]) + code.tee(BLOCKS)
    return code.function(LOCALS, OPS["loop"] + block + OPS["br_if 0"] + OPS["end"])


def _sixteen() -> bytes:
    """Gather 16 values, compare each edge with them, and count."""
    start = total([code.get(X), code.get(DEVICE) + code.get(ROW) + OPS["i32.mul"]])
    out = total([start, code.get(ENTRY) + code.load("i32", 8)]) + code.put(PLACE)
    for value in VALUES:
        out += code.get(PLACE) + vector.load_splat(0) + code.put(value)
        for lane in range(1, LANES):
            out += advance(PLACE, code.get(ROW))
            out += code.get(PLACE) + code.get(value) + vector.load_lane(lane, 0) + code.put(value)
        out += advance(PLACE, code.get(ROW))
    out += vector.words([TURNED * 0x01010101] * 4) + code.put(FOUND)
    out += code.get(ENTRY) + code.load("i32", 0) + code.put(AT)
    out += code.get(ENTRY) + code.load("i32", 4) + code.put(END)
    edge = code.get(AT) + vector.load_splat(0) + code.put(LIMIT) + code.get(FOUND)
    below = [code.get(LIMIT) + code.get(value) + VECTOR["f32x4.lt"] for value in VALUES]
    edge += below[0] + below[1] + NARROW16 + below[2] + below[3] + NARROW16 + NARROW8
    edge += SUBTRACT + code.put(FOUND) + advance(AT, code.i32(4))
    out += code.get(AT) + code.get(END) + OPS["i32.lt_u"] + OPS["if"] + _while(AT, END, edge) + OPS["end"]
    return out + total([code.get(OUT), code.get(DEVICE)]) + code.get(FOUND) + vector.store(0)


def _while(local: int, end: int, body: bytes) -> bytes:
    """Run a body, which changes a local variable, until that reaches another; once at least."""
    again = code.get(local) + code.get(end) + OPS["i32.lt_u"] + OPS["br_if 0"]
    return OPS["loop"] + body + again + OPS["end"]
