"""Snapshot: the state of one device with the digest of its program, to be moved or kept.

28 bytes (`BMS1`, format 1 and flags 0 as u16, digest of the program, length as u32), then the state
struct of layout.py; all little-endian.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program.digest import digest
from bimetal.program.interval import Interval
from bimetal.program.layout import layout_of, wait_of
from bimetal.program.node import EVERY
from bimetal.program.program import Program
from bimetal.program.range import ranges_of

MAGIC = b"BMS1"
FORMAT = 1
HEAD = struct.Struct("<4sHH16sI")


def pack(program: Program, state: bytes) -> bytes:
    """Return a snapshot of a state; raises BadInput when the bytes are not a state of this program."""
    check_states(program, np.frombuffer(state, np.uint8)[None])
    return HEAD.pack(MAGIC, FORMAT, 0, digest(program), len(state)) + state


def unpack(program: Program, snapshot: bytes) -> bytes:
    """Return the state of a snapshot; raises BadInput when it is damaged or of another program."""
    where = f"snapshot of {program.title}"
    if len(snapshot) < HEAD.size or snapshot[:4] != MAGIC:
        raise BadInput("the bytes are not a snapshot", where=where)
    _, version, flags, made_for, length = HEAD.unpack_from(snapshot)
    if version != FORMAT or flags:
        raise BadInput(
            f"format {version} with flags {flags} is not known", where=where, hint="Update bimetal"
        )
    if made_for != digest(program):
        raise BadInput(f"it is of the program {made_for.hex()}, not {digest(program).hex()}", where=where)
    state = snapshot[HEAD.size :]
    if length != len(state):
        raise BadInput(f"it should hold {length} bytes and holds {len(state)}", where=where)
    check_states(program, np.frombuffer(state, np.uint8)[None])
    return state


def check_states(program: Program, states: NDArray[np.uint8]) -> None:
    """Check that states (devices, bytes) keep all that proofs believe of them; raises BadInput.

    Bytes of strangers must pass this before they are run: an index in them is trusted afterwards.
    """
    layout = layout_of(program).state
    where = f"state of {program.title}"
    if states.ndim != 2 or states.shape[1] != layout.size:
        raise BadInput(f"{states.shape[-1]} bytes are not the {layout.size} of a state", where=where)
    if not states.size:
        return
    structs = np.ascontiguousarray(states).view(layout.dtype)[:, 0]
    allowed = dict(ranges_of(program).states)
    for clock in program.clocks:
        if clock != EVERY:
            allowed[wait_of(clock)] = Interval(0, max(clock.first, clock.period - 1))
    for name, interval in allowed.items():
        values = structs[name].astype(np.float64)
        gaps = np.isnan(values)
        known = values[~gaps]
        if gaps.any() and not interval.nan:
            raise BadInput("it is NaN", where=f"{where}, {name}")
        if known.size and not (interval.low <= known.min() and known.max() <= interval.high):
            raise BadInput(
                f"{known.min():g}..{known.max():g} leaves its range {interval}", where=f"{where}, {name}"
            )
