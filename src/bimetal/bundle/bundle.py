"""Bundle: a learned program with its card and its golden vectors, as one value."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bimetal.nouns.device import FLEET, LONGEST_ID
from bimetal.nouns.errors import NotFound
from bimetal.program.program import Program


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model, ready to be signed: what runs, what was learned, and how to check it.

    `blocks` maps a device id to its parameter block (program/block.py), FLEET to everybody
    else's. `card` and `vectors` are plain mappings of text, numbers, lists and bytes.
    `wasm` is the program emitted for WebAssembly. `made_ns` counts from 1970 UTC.
    """

    program: Program
    blocks: Mapping[str, bytes]
    card: Mapping[str, Any]
    vectors: Mapping[str, Any]
    wasm: bytes
    made_ns: int
    made_by: str

    def block_of(self, device: str) -> bytes:
        """Return a device's own parameters, or the fleet's for one never met before."""
        return self.blocks.get(device, self.blocks[FLEET])

    def names(self, device: str) -> bool:
        """Whether it names a device: it has parameters of its own, or the card tells of it."""
        return device in self.blocks or device in _texts(self.card)

    def known_block(self, device: str) -> bytes:
        """Return a device's own parameters; raises NotFound naming the nearest devices there are."""
        if device not in self.blocks:
            known = sorted(d for d in self.blocks if d != FLEET)
            near = difflib.get_close_matches(device, known, n=3, cutoff=0.5)
            hint = f"Devices it knows: {', '.join(known[:8]) or 'none'}"
            raise NotFound(
                f"the model knows no device {device[:LONGEST_ID]!a}",
                hint=f"Did you mean {' or '.join(near)}?" if near else hint,
            )
        return self.blocks[device]


def _texts(value: object) -> Iterator[str]:
    """Yield every text in what is made of mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, held in cast("Mapping[object, object]", value).items():
            yield from _texts(key)
            yield from _texts(held)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for held in cast("Sequence[object]", value):
            yield from _texts(held)
