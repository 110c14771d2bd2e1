"""ParameterBlock: learned values as bytes, apart from the program that uses them.

| bytes | what |
| --- | --- |
| 0-3 | `BMP1` |
| 4-5, 6-7 | format (1) and flags (0), u16 |
| 8-11 | counter, u32: a later block of the same device counts higher |
| 12-27 | digest of the program the values are for |
| 28-31 | length of what follows, u32 |
| 32- | the params struct of layout.py |
All little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.program.node import DTYPES
from bimetal.program.program import Param, Program

MAGIC = b"BMP1"
FORMAT = 1
HEAD = struct.Struct("<4sHHI16sI")


@dataclass(frozen=True, slots=True)
class ParameterBlock:
    """The head of a block and the values it carries, one array for each parameter."""

    counter: int
    digest: bytes
    values: dict[str, NDArray[Any]]


def pack(program: Program, values: Mapping[str, ArrayLike], *, counter: int = 0) -> bytes:
    """Return the block of these values; raises BadInput when one is missing, foreign or out of range."""
    foreign = sorted(set(values) - {p.name for p in program.params})
    missing = sorted({p.name for p in program.params} - set(values))
    if foreign or missing:
        raise BadInput(f"parameters are missing ({missing}) or unknown ({foreign})", where=program.title)
    if not 0 <= counter < 2**32:
        raise BadInput(f"the counter {counter} does not fit 32 bits", where=program.title)
    layout = layout_of(program).params
    body = np.zeros((), layout.dtype)
    for p in program.params:
        body[p.name] = _checked(p, np.asarray(values[p.name]))
    head = HEAD.pack(MAGIC, FORMAT, 0, counter, digest(program), layout.size)
    return head + body.tobytes()


def unpack(program: Program, block: bytes) -> dict[str, NDArray[Any]]:
    """Return the values of a block, every one within its declared range; raises BadInput otherwise."""
    return read(program, block).values


def read(program: Program, block: bytes) -> ParameterBlock:
    """Return a block with its head; raises BadInput when it is damaged or for another program."""
    where = f"parameters of {program.title}"
    if len(block) < HEAD.size or block[:4] != MAGIC:
        raise BadInput("the bytes are not a parameter block", where=where)
    _, version, flags, counter, made_for, length = HEAD.unpack_from(block)
    if version != FORMAT or flags:
        raise BadInput(
            f"format {version} with flags {flags} is not known", where=where, hint="Update bimetal"
        )
    if made_for != digest(program):
        raise BadInput(
            f"the block is for the program {made_for.hex()}, not for {digest(program).hex()}", where=where
        )
    layout = layout_of(program).params
    if length != layout.size or len(block) != HEAD.size + length:
        raise BadInput(f"{len(block)} bytes are not a head and {layout.size} bytes of values", where=where)
    if not layout.size:
        return ParameterBlock(counter, made_for, {})
    body = np.frombuffer(block, layout.dtype, count=1, offset=HEAD.size)[0]
    values = {p.name: _checked(p, np.asarray(body[p.name])) for p in program.params}
    return ParameterBlock(counter, made_for, values)


def _checked(param: Param, value: NDArray[Any]) -> NDArray[Any]:
    """Return a value in its own type, or raise BadInput where it is not what was declared."""
    where = f"parameter {param.name}"
    if value.shape != param.shape or value.dtype.kind not in "fiub":
        raise BadInput(
            f"{value.dtype}{list(value.shape)} is not {param.dtype}{list(param.shape)}", where=where
        )
    if np.isnan(value).any() if value.dtype.kind == "f" else False:
        raise BadInput("a value is NaN", where=where)
    with np.errstate(all="ignore"):
        typed = value.astype(DTYPES[param.dtype])
    if param.dtype != "f32" and not np.array_equal(typed, value):
        raise BadInput(f"a value is not a whole {param.dtype}", where=where)
    if value.size and not (param.low <= typed.min() and typed.max() <= param.high):
        raise BadInput(
            f"values {typed.min()}..{typed.max()} leave the declared range {param.low}..{param.high}",
            where=where,
        )
    return typed
