"""Bundle: a learned program with its card and its golden vectors, as one value."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
