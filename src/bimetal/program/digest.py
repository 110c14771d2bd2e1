"""Digest: the 16 bytes that say whether two programs are the same one."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bimetal.program.canonical import encode
from bimetal.program.once import once
from bimetal.program.program import Program


@once
def digest(program: Program) -> bytes:
    """Return 16 bytes that equal programs share: the start of SHA-256 (FIPS 180-4).

    What computes and what is laid out counts; the title, units, the order of declarations, names
    inside, and the values of parameters do not.
    """
    normal = Program(
        inputs=tuple(sorted((replace(i, unit="") for i in program.inputs), key=lambda i: i.name)),
        params=tuple(sorted((replace(p, unit="") for p in program.params), key=lambda p: p.name)),
        states=tuple(sorted(program.states, key=lambda s: s.name)),
        sets=tuple(sorted(program.sets, key=lambda s: s.state)),
        outputs=tuple(sorted(program.outputs, key=lambda o: o[0])),
        title="",
    )
    return hashlib.sha256(encode(normal)).digest()[:16]
