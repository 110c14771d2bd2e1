"""Packed: CBOR (RFC 8949) from strangers, with nothing in it but numbers, texts, times, arrays and maps."""

from __future__ import annotations

from typing import Any

import cbor2

from bimetal.wire.harvest import SHOWN, Refused

DEEPEST = 64
_TAGS = (*range(4, 6), *range(25, 40), 100, *range(256, 265), 1004, 43_000)
"""What has no place in a reading: shared and cyclic values, regular expressions, MIME and the like."""


def unpack(payload: bytes) -> object:
    """Return what a payload holds, decoded safely. Raises Refused."""
    try:
        return cbor2.loads(
            payload,
            max_depth=DEEPEST,
            allow_duplicate_keys=False,
            strict_hashable_types=False,
            semantic_decoders=_NONE,
        )
    except (
        cbor2.CBORDecodeError,
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
        MemoryError,
    ) as error:
        raise Refused(f"it is not CBOR: {str(error)[:SHOWN]}") from None


def pack(value: object) -> bytes:
    """Return a value as CBOR."""
    return cbor2.dumps(value)


def _no_place(decoder: Any, *_: Any) -> object:
    del decoder
    raise ValueError("a tag that has no place in a reading")


_NONE: dict[int, Any] = dict.fromkeys(_TAGS, _no_place)
