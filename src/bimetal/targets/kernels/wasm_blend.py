"""Wasm blend: one small module that runs the records of any forest for 128 devices at a time.

| export | what |
| --- | --- |
| `memory` | all of it belongs to the host |
| `votes(x, out, blocks, trees, count, x_size, out_size, classes)` | u8 (classes, 128) a block |
| `sums(x, out, blocks, trees, count, x_size, out_size, width)` | i32 (outputs, 128) a block |
| `octets` | see wasm_grid.py |

`x` has a block of octets (features, 128) for every 128 devices. `trees` has five i32 for every tree: the
first byte of its records and the one after the last, and for sums the first byte of what its leaves are
worth, that of its first output within a block, and how many parts there are. Of each number of a row there is
a part for every 16 leaves: the first bytes of their i32, the second, the third and the fourth. A number is
so found for 16 devices at once, by four instructions. What is in `out` is added to.
"""

from __future__ import annotations

from bimetal.targets import wasm_code as code
from bimetal.targets import wasm_vector as vector
from bimetal.targets.kernels import wasm_grid
from bimetal.targets.kernels.blend import DEVICES, RECORD, ROW, UNIT
from bimetal.targets.wasm_code import OPS
from bimetal.targets.wasm_loop import advance, stepped, times, total
from bimetal.targets.wasm_vector import V128, VECTOR

X, OUT, BLOCKS, TREES, COUNT, X_SIZE, OUT_SIZE, WIDTH = range(8)
LEFT, TREE, AT, END, FEATURE, LOW, HIGH, TO, DEVICE, WORTH, PLACE, PART, LIMIT, LEAF = range(8, 22)
PLANES = range(22, 26)
LOCALS = [code.I32] * 12 + [V128] * 6
TREE_BYTES = 20
PART_BYTES = 64

LOAD8_SPLAT = b"\xfd\x07\x00"
SWIZZLE, SPLAT, EQUAL, GREATER, SUBTRACT = (
    b"\xfd" + code.unsigned(n) for n in (0x0E, 0x0F, 0x23, 0x27, 0x71)
)
"""Of i8x16: bytes picked by bytes, a byte in all lanes, equality, a signed comparison, and a difference."""


def module() -> bytes:
    """Return the module; it is the same for all forests."""
    kinds = [code.signature([code.I32] * 8, ()), code.signature([code.I32] * wasm_grid.PARAMS, ())]
    return code.module(
        code.section(1, kinds),
        code.section(3, [code.unsigned(n) for n in (0, 0, 1)]),
        code.section(5, [b"\x00" + code.unsigned(1)]),
        code.section(7, [
            code.exported("memory", 2, 0),
            code.exported("votes", 0, 0),
            code.exported("sums", 0, 1),
            code.exported("octets", 0, 2),
        ]),
        code.section(10, [_function(_counted()), _function(_added()), wasm_grid.octets()]),
    )  # fmt: skip


def _function(after_tree: bytes) -> bytes:
    """Every block, every tree of it, every record; then what its leaves stand for."""
    step = RECORD.itemsize
    records = _while(AT, END, _record() + advance(AT, code.i32(step)))
    tree = code.get(TREE) + code.load("i32", 0) + code.put(AT)
    tree += code.get(TREE) + code.load("i32", 4) + code.put(END)
    tree += records + after_tree + advance(TREE, code.i32(TREE_BYTES))
    trees = code.get(TREES) + code.put(TREE)
    trees += code.get(TREES) + times(code.get(COUNT), TREE_BYTES) + OPS["i32.add"] + code.put(LEFT)
    trees += _while(TREE, LEFT, tree)
    block = trees + advance(X, code.get(X_SIZE)) + advance(OUT, code.get(OUT_SIZE))
    block += total([code.get(BLOCKS), code.i32(-1)]) + code.tee(BLOCKS)
    return code.function(LOCALS, OPS["loop"] + block + OPS["br_if 0"] + OPS["end"])


def _while(local: int, end: int, body: bytes) -> bytes:
    """Run a body, which changes a local variable, until that reaches another; once at least."""
    again = code.get(local) + code.get(end) + OPS["i32.lt_u"] + OPS["br_if 0"]
    return OPS["loop"] + body + again + OPS["end"]


def _offset(field: str) -> int:
    """Return where a field of a record lies."""
    return 4 * (RECORD.names or ()).index(field)


def _record() -> bytes:
    """Compare and blend: 128 devices in eight vectors."""
    out = b""
    for local, name in ((LOW, "low"), (HIGH, "high"), (TO, "to"), (FEATURE, "x")):
        place = code.get(AT) + code.load("i32", _offset(name))
        out += (total([place, code.get(X)]) if name == "x" else place) + code.put(local)
    out += code.get(AT) + LOAD8_SPLAT + code.unsigned(_offset("threshold")) + code.put(LIMIT)
    for k in range(ROW):
        at = k * UNIT
        sides = code.get(HIGH) + vector.load(at) + code.get(LOW) + vector.load(at)
        greater = code.get(FEATURE) + vector.load(at) + code.get(LIMIT) + GREATER
        out += code.get(TO) + sides + greater + VECTOR["bitselect"] + vector.store(at)
    return out


def _counted() -> bytes:
    """Add one to the class that each device's leaf is; a true comparison is -1."""
    start = code.get(OUT) + code.put(PLACE) + code.i32(0) + code.put(DEVICE)
    body = code.get(DEVICE) + SPLAT + code.put(LIMIT)
    for k in range(ROW):
        at = k * UNIT
        mine = code.get(TO) + vector.load(at) + code.get(LIMIT) + EQUAL
        body += code.get(PLACE) + code.get(PLACE) + vector.load(at) + mine + SUBTRACT + vector.store(at)
    body += advance(PLACE, code.i32(DEVICES)) + advance(DEVICE, code.i32(1))
    return start + _while(DEVICE, WIDTH, body)


def _added() -> bytes:
    """Add what each device's leaf is worth, number by number of its row."""
    start = code.get(TREE) + code.load("i32", 8) + code.put(WORTH)
    start += total([code.get(OUT), code.get(TREE) + code.load("i32", 12)]) + code.put(PLACE)
    start += code.i32(0) + code.put(LOW)
    once = stepped(DEVICE, DEVICES, UNIT, _sixteen())
    size = times(code.get(TREE) + code.load("i32", 16), PART_BYTES)
    body = once + advance(WORTH, size) + advance(PLACE, code.i32(4 * DEVICES)) + advance(LOW, code.i32(1))
    return start + _while(LOW, WIDTH, body)


def _sixteen() -> bytes:
    """Find the numbers of 16 devices byte by byte, put the bytes together, and add."""
    out = total([code.get(TO), code.get(DEVICE)]) + vector.load(0) + code.put(LEAF)
    out += b"".join(vector.words([0] * 4) + code.put(plane) for plane in PLANES)
    out += code.get(WORTH) + code.put(PART)
    out += code.get(WORTH) + times(code.get(TREE) + code.load("i32", 16), PART_BYTES)
    out += OPS["i32.add"] + code.put(END)
    part = b""
    for k, plane in enumerate(PLANES):
        found = code.get(PART) + vector.load(UNIT * k) + code.get(LEAF) + SWIZZLE
        part += code.get(plane) + found + VECTOR["or"] + code.put(plane)
    part += code.get(LEAF) + code.i32(UNIT) + SPLAT + SUBTRACT + code.put(LEAF)
    out += _while(PART, END, part + advance(PART, code.i32(PART_BYTES)))
    out += total([code.get(PLACE), code.get(DEVICE) + code.i32(2) + OPS["i32.shl"]]) + code.put(AT)
    first, second, third, fourth = (code.get(plane) for plane in PLANES)
    for half in (0, 1):
        low, high = first + second + _woven(1, half), third + fourth + _woven(1, half)
        for quarter in (0, 1):
            at = UNIT * (2 * half + quarter)
            found = low + high + _woven(2, quarter)
            out += code.get(AT) + code.get(AT) + vector.load(at) + found + VECTOR["i32x4.add"]
            out += vector.store(at)
    return out


def _woven(size: int, half: int) -> bytes:
    """Take turns in the halves of two vectors, so many bytes at a time."""
    turns = range(half * UNIT // 2, (half + 1) * UNIT // 2, size)
    return b"\xfd\x0d" + bytes(16 * side + k + b for k in turns for side in (0, 1) for b in range(size))
