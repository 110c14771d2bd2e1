"""Wasm code: opcodes, numbers and sections of the binary format, as bytes.

Method: WebAssembly Core Specification 2.0, chapter 5, Binary Format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

I32, I64, F32 = 0x7F, 0x7E, 0x7D

OPS: dict[str, bytes] = {
    "loop": b"\x03\x40",
    "if": b"\x04\x40",
    "else": b"\x05",
    "end": b"\x0b",
    "br_if 0": b"\x0d\x00",
    "select": b"\x1b",
    "i32.eqz": b"\x45",
    "i32.eq": b"\x46",
    "i32.ne": b"\x47",
    "i32.lt": b"\x48",
    "i32.lt_u": b"\x49",
    "i32.le": b"\x4c",
    "f32.eq": b"\x5b",
    "f32.lt": b"\x5d",
    "f32.le": b"\x5f",
    "i32.add": b"\x6a",
    "i32.sub": b"\x6b",
    "i32.mul": b"\x6c",
    "i32.and": b"\x71",
    "i32.or": b"\x72",
    "i32.shl": b"\x74",
    "i32.shr": b"\x75",
    "i64.add": b"\x7c",
    "i64.mul": b"\x7e",
    "i64.shr": b"\x87",
    "f32.neg": b"\x8c",
    "f32.sqrt": b"\x91",
    "f32.add": b"\x92",
    "f32.sub": b"\x93",
    "f32.mul": b"\x94",
    "f32.div": b"\x95",
    "i32.wrap_i64": b"\xa7",
    "i64.extend_i32": b"\xac",
    "f32.convert_i32": b"\xb2",
    "i32.reinterpret_f32": b"\xbc",
    "f32.reinterpret_i32": b"\xbe",
    "i32.extend8": b"\xc0",
    "i32.extend16": b"\xc1",
    "i32.trunc_sat_f32": b"\xfc\x00",
    "memory.fill": b"\xfc\x0b\x00",
}

LOADS = {
    "f32": (0x2A, 2),
    "i32": (0x28, 2),
    "i16": (0x2E, 1),
    "i8": (0x2C, 0),
    "u8": (0x2D, 0),
    "b1": (0x2D, 0),
}
STORES = {
    "f32": (0x38, 2),
    "i32": (0x36, 2),
    "i16": (0x3B, 1),
    "i8": (0x3A, 0),
    "u8": (0x3A, 0),
    "b1": (0x3A, 0),
}
"""Opcode and alignment (as a power of two) for each type of element."""


def unsigned(value: int) -> bytes:
    """Return a whole number as unsigned LEB128."""
    out = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def signed(value: int) -> bytes:
    """Return a whole number as signed LEB128."""
    out = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        done = (value == 0 and not low & 0x40) or (value == -1 and low & 0x40)
        out.append(low | (0 if done else 0x80))
        if done:
            return bytes(out)


def i32(value: int) -> bytes:
    """Return a constant; the binary format has no unsigned ones, so 2**31 and above are taken as negative."""
    return b"\x41" + signed(value - 2**32 if value >= 2**31 else value)


def i64(value: int) -> bytes:
    """Return a wide constant."""
    return b"\x42" + signed(value)


def f32(value: float) -> bytes:
    """Return a float constant."""
    return b"\x43" + struct.pack("<f", value)


def get(local: int) -> bytes:
    """Return the value of a local variable."""
    return b"\x20" + unsigned(local)


def put(local: int) -> bytes:
    """Set a local variable."""
    return b"\x21" + unsigned(local)


def tee(local: int) -> bytes:
    """Set a local variable and keep the value."""
    return b"\x22" + unsigned(local)


def call(function: int) -> bytes:
    """Call a function."""
    return b"\x10" + unsigned(function)


def load(dtype: str, offset: int) -> bytes:
    """Load an element from the address on the stack plus an offset."""
    code, align = LOADS[dtype]
    return bytes([code, align]) + unsigned(offset)


def store(dtype: str, offset: int) -> bytes:
    """Store the element on the stack at the address below it plus an offset."""
    code, align = STORES[dtype]
    return bytes([code, align]) + unsigned(offset)


def vector(items: Sequence[bytes]) -> bytes:
    """Return how many items there are, and the items."""
    return unsigned(len(items)) + b"".join(items)


def section(kind: int, items: Sequence[bytes]) -> bytes:
    """Return a section of items; nothing at all when there are none."""
    if not items:
        return b""
    body = vector(items)
    return bytes([kind]) + unsigned(len(body)) + body


def signature(arguments: Iterable[int], results: Iterable[int]) -> bytes:
    """Return the type of a function."""
    return b"\x60" + vector([bytes([a]) for a in arguments]) + vector([bytes([r]) for r in results])


def function(local_types: Sequence[int], code: bytes) -> bytes:
    """Return the body of a function: its local variables beyond the arguments, then its code."""
    runs: list[list[int]] = []
    for kind in local_types:
        if runs and runs[-1][1] == kind:
            runs[-1][0] += 1
        else:
            runs.append([1, kind])
    body = vector([unsigned(count) + bytes([kind]) for count, kind in runs]) + code + OPS["end"]
    return unsigned(len(body)) + body


def text(value: str) -> bytes:
    """Return a name."""
    data = value.encode()
    return unsigned(len(data)) + data


def exported(name: str, kind: int, at: int) -> bytes:
    """Return an export: kind 0 is a function, 2 a memory, 3 a global."""
    return text(name) + bytes([kind]) + unsigned(at)


def module(*sections: bytes) -> bytes:
    """Return a whole module."""
    return b"\x00asm\x01\x00\x00\x00" + b"".join(sections)
