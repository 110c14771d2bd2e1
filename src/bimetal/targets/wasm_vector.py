"""Wasm vectors: the instructions on four words at once, as bytes.

Method: WebAssembly Core Specification 2.0, chapter 5.4.8, Vector Instructions.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from bimetal.targets.wasm_code import unsigned

V128 = 0x7B
LANES = 4
BYTES = 16

_CODES = {
    "i32x4.splat": 0x11,
    "f32x4.splat": 0x13,
    "i32x4.eq": 0x37,
    "i32x4.ne": 0x38,
    "i32x4.lt": 0x39,
    "i32x4.le": 0x3D,
    "f32x4.eq": 0x41,
    "f32x4.lt": 0x43,
    "f32x4.le": 0x45,
    "not": 0x4D,
    "and": 0x4E,
    "or": 0x50,
    "bitselect": 0x52,
    "any_true": 0x53,
    "i32x4.neg": 0xA1,
    "i32x4.shl": 0xAB,
    "i32x4.shr": 0xAC,
    "i32x4.shr_u": 0xAD,
    "i32x4.add": 0xAE,
    "i32x4.sub": 0xB1,
    "i32x4.mul": 0xB5,
    "i32x4.min": 0xB6,
    "i32x4.max": 0xB8,
    "i16x8.extend_low_i8x16": 0x87,
    "i32x4.dot_i16x8": 0xBA,
    "i64x2.shr": 0xCC,
    "i64x2.add": 0xCE,
    "i64x2.extmul_low": 0xDC,
    "i64x2.extmul_high": 0xDD,
    "f32x4.neg": 0xE1,
    "f32x4.sqrt": 0xE3,
    "f32x4.add": 0xE4,
    "f32x4.sub": 0xE5,
    "f32x4.mul": 0xE6,
    "f32x4.div": 0xE7,
    "f32x4.min": 0xEA,
    "f32x4.max": 0xEB,
    "i32x4.trunc_sat_f32x4": 0xF8,
    "f32x4.convert_i32x4": 0xFA,
}
VECTOR = {name: b"\xfd" + unsigned(number) for name, number in _CODES.items()}
"""By name. `f32x4.min` and `max` are the pseudo-minimum and -maximum: b < a ? b : a, a < b ? b : a."""


def load(offset: int) -> bytes:
    """Load four words from the address on the stack plus an offset."""
    return b"\xfd\x00\x04" + unsigned(offset)


def store(offset: int) -> bytes:
    """Store the four words on the stack at the address below them plus an offset."""
    return b"\xfd\x0b\x04" + unsigned(offset)


def load_splat(offset: int) -> bytes:
    """Load one word into all lanes."""
    return b"\xfd\x09\x02" + unsigned(offset)


def load32_zero(offset: int) -> bytes:
    """Load one word into the first lane, zeros into the others."""
    return b"\xfd\x5c\x02" + unsigned(offset)


def load_lane(lane: int, offset: int) -> bytes:
    """Load one word into one lane of the vector on the stack; the address is below it."""
    return b"\xfd\x56\x02" + unsigned(offset) + bytes([lane])


def store_lane(lane: int, offset: int) -> bytes:
    """Store one lane of the vector on the stack at the address below it plus an offset."""
    return b"\xfd\x5a\x02" + unsigned(offset) + bytes([lane])


def extract(lane: int) -> bytes:
    """Take the whole number in one lane."""
    return b"\xfd\x1b" + bytes([lane])


def replace(lane: int) -> bytes:
    """Put the whole number on the stack into one lane of the vector below it."""
    return b"\xfd\x1c" + bytes([lane])


def words(values: Sequence[int]) -> bytes:
    """Return a constant of four words, taken as unsigned."""
    return b"\xfd\x0c" + struct.pack("<4I", *(v & 0xFFFFFFFF for v in values))


def all_f32(value: float) -> bytes:
    """Return a constant with one float in all lanes."""
    return b"\xfd\x0c" + struct.pack("<f", value) * LANES


def shuffle(picked: Sequence[int]) -> bytes:
    """Pick four of the eight words of the two vectors on the stack."""
    return b"\xfd\x0d" + bytes(4 * word + k for word in picked for k in range(4))
