"""Mutate: bytes made from good ones, as careless disks and careful attackers make them."""

from __future__ import annotations

import random
from collections.abc import Iterator

EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
WORDS = (
    b"NaN", b"-Infinity", b"1e999", b"null", b"\xed\xa0\x80", b"\xff\xfe", b"\0", b"\r\n", b"\n", b'"',
    b",,,",
    b"[" * 200, b"{" * 200, b"9" * 400, b"-", b"\xe2\x80\xae", b"$share/", b"../", b"'; --",
)  # fmt: skip


def mutations(seeds: list[bytes], seed: int) -> Iterator[bytes]:
    """Yield the seeds, then without end what becomes of them; the same for the same seed."""
    chance = random.Random(seed)
    yield from (b"", *seeds)
    while True:
        content = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            _change(content, chance, seeds)
        yield bytes(content[: 1 << 20])


def _change(content: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    at = chance.randrange(len(content) + 1)
    to = min(len(content), at + chance.choice((1, 2, 4, 8, 64, 4096)))
    what = chance.randrange(8)
    if what == 0 and content:
        content[at % len(content)] ^= 1 << chance.randrange(8)
    elif what == 1:
        del content[at:to]
    elif what == 2:
        del content[at:]
    elif what == 3:
        content[at:at] = content[at:to] * chance.choice((1, 2, 50))
    elif what == 4:
        size = chance.choice((1, 2, 4, 8))
        edge = chance.choice(EDGES) & ((1 << 8 * size) - 1)
        content[at : at + size] = edge.to_bytes(size, chance.choice(("big", "little")))
    elif what == 5:
        content[at:at] = chance.choice(WORDS)
    elif what == 6:
        other = chance.choice(seeds)
        start = chance.randrange(len(other) + 1)
        content[at:to] = other[start : start + 64]
    else:
        content[at:to] = chance.randbytes(to - at)
