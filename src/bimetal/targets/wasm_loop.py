"""Wasm loops: counting and adding, as code."""

from __future__ import annotations

from collections.abc import Iterable

from bimetal.targets import wasm_code as code
from bimetal.targets.wasm_code import OPS


def total(parts: Iterable[bytes]) -> bytes:
    """Return code that adds whole numbers."""
    first, *rest = parts
    return first + b"".join(part + OPS["i32.add"] for part in rest)


def times(value: bytes, factor: int) -> bytes:
    """Return code that multiplies a whole number by a constant."""
    return value + code.i32(factor) + OPS["i32.mul"]


def advance(local: int, by: bytes) -> bytes:
    """Return code that adds to a local variable."""
    return total([code.get(local), by]) + code.put(local)


def counted(local: int, count: int, body: bytes) -> bytes:
    """Run a body for local = 0 .. count - 1, both local variables; not at all where the count is 0.

    The first time `local` must be 0, as it is when a function starts; it is 0 again at the end.
    """
    again = total([code.get(local), code.i32(1)]) + code.tee(local) + code.get(count)
    loop = OPS["loop"] + body + again + OPS["i32.lt_u"] + OPS["br_if 0"] + OPS["end"]
    return code.get(count) + OPS["if"] + loop + code.i32(0) + code.put(local) + OPS["end"]


def stepped(local: int, end: int, step: int, body: bytes) -> bytes:
    """Run a body for local = 0, step, 2 step ... below a constant end, once at least."""
    again = total([code.get(local), code.i32(step)]) + code.tee(local) + code.i32(end)
    loop = OPS["loop"] + body + again + OPS["i32.lt_u"] + OPS["br_if 0"] + OPS["end"]
    return code.i32(0) + code.put(local) + loop
