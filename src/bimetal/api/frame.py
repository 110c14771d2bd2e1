"""Binary frames for fast signals, as they go over the WebSocket.

A frame is one header and then blocks, all little-endian, every part a multiple of four bytes:

    header, 16 bytes
        0   u8[2]  "bm"
        2   u8     version, 1
        3   u8     zero
        4   u32    number of blocks
        8   u32    sequence number of the frame
        12  u32    zero
    block, 24 bytes and then its columns
        0   u8     kind: 1 readings, 2 scores
        1   u8     1 when the receiver should forget what it holds of these columns
        2   u16    first column (the signal's number in the plant)
        4   u16    columns
        6   u16    zero
        8   u32    device (its number in the plant)
        12  u32    rows
        16  f64    origin, milliseconds since 1970 UTC
        24  f32    milliseconds after the origin, one for each row
            f32    values, column after column, NaN where a reading is missing

`web/frame.js` reads the same layout; tests/api checks the two against each other.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

VERSION = 1
_HEADER = struct.Struct("<2sBBIII")
_BLOCK = struct.Struct("<BBHHHIId")


class Content(IntEnum):
    """What the columns of a block are."""

    READINGS = 1
    SCORES = 2


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one device: `time_ns` (n,) and `values` (n, columns), columns starting at `first`."""

    content: Content
    device: int
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    first: int = 0
    replace: bool = False


def encode(blocks: Sequence[Block], sequence: int) -> bytes:
    """Return the frame of these blocks."""
    parts = [_HEADER.pack(b"bm", VERSION, 0, len(blocks), sequence & 0xFFFFFFFF, 0)]
    for block in blocks:
        parts.extend(_encode_block(block))
    return b"".join(parts)


def _encode_block(block: Block) -> tuple[bytes, bytes, bytes]:
    rows, columns = block.values.shape
    origin_ns = int(block.time_ns[0]) if rows else 0
    head = _BLOCK.pack(
        block.content, block.replace, block.first, columns, 0, block.device, rows, origin_ns / 1e6
    )
    offset_ms = (block.time_ns - origin_ns) / 1e6
    # A value beyond float32 becomes infinite, which the page draws as missing.
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(block.values.T, dtype="<f4")
    return head, offset_ms.astype("<f4").tobytes(), values.tobytes()
