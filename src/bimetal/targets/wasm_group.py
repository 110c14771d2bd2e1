"""Wasm groups: the functions that run four devices at once, and groups of four one after the other."""

from __future__ import annotations

from dataclasses import replace

from bimetal.program.layout import Layouts, wait_of
from bimetal.program.node import EVERY
from bimetal.targets import wasm_code as code
from bimetal.targets import wasm_vector as vector
from bimetal.targets.arena import arrange
from bimetal.targets.lane import WORD, strip_of
from bimetal.targets.loops import Call, Lowered, Stage, statements
from bimetal.targets.wasm_code import OPS
from bimetal.targets.wasm_lanes import Strips, lanes_code
from bimetal.targets.wasm_layer import pair_bytes
from bimetal.targets.wasm_loop import advance, counted, times, total
from bimetal.targets.wasm_stage import Memory
from bimetal.targets.wasm_strip import given, taken
from bimetal.targets.wasm_vector import BYTES, LANES, V128, VECTOR

STAGE, MOVER, STEP, GROUPS = (
    code.signature([code.I32, V128], ()),
    code.signature([code.I32] * 2, ()),
    code.signature([code.I32], [V128]),
    code.signature([code.I32] * 7, ()),
)
"""A stage (params, mask); a mover of structs (first, apart); a step (params), which gives what fired in
each lane; groups (states, params, in, out, fired, n, count): n readings of each of 4 * count devices."""


def spread(lowered: Lowered, start: int) -> tuple[Lowered, Strips, int]:
    """Return a program with scratch memory for lanes, its strips from a byte on, and the next free byte."""
    lay = lowered.layouts
    structs = {"state": lay.state, "in": lay.input, "out": lay.output}
    strips = {space: strip_of(layout) for space, layout in structs.items()}
    places: dict[str, int] = {}
    for space, strip in strips.items():
        places[space] = start
        start += strip.elements * BYTES
    places["scratch"] = start
    layers = [s.kernel for stage in lowered.stages for s in statements(stage.body) if isinstance(s, Call)]
    wide = replace(lowered, stages=tuple(_arranged(stage) for stage in lowered.stages))
    places["pairs"] = start + -(-wide.scratch_bytes // BYTES) * BYTES
    return wide, Strips(strips, places), places["pairs"] + max(map(pair_bytes, layers), default=0)


def _arranged(stage: Stage) -> Stage:
    scratch, size = arrange(stage.body, lambda _: BYTES)
    return replace(stage, scratch=scratch, scratch_bytes=size)


def group_code(wide: Lowered, memory: Memory, strips: Strips, first: int) -> list[tuple[bytes, bytes]]:
    """Return the signature and the body of every function, the first of which has the number `first`.

    `wide` and `strips` come from `spread`; the last function runs groups.
    """
    lay, places = wide.layouts, strips.places
    found = [(STAGE, lanes_code(s, memory, strips, always=s.clock == EVERY)) for s in wide.stages]
    movers = first + len(found)
    found += [
        (MOVER, taken(lay.state, places["state"])),
        (MOVER, taken(lay.input, places["in"])),
        (MOVER, given(lay.output, places["out"])),
        (MOVER, given(lay.state, places["state"])),
        (STEP, _step(wide, strips, first)),
        (GROUPS, _groups(lay, movers)),
    ]
    return found


def _step(wide: Lowered, strips: Strips, first: int) -> bytes:
    """Run every stage for the lanes in which it is due."""
    params, fired, mask = 0, 1, 2
    everyone = vector.words([-1] * LANES)
    body = vector.words([1] * LANES) + code.put(fired)
    for k, stage in enumerate(wide.stages):
        if stage.clock == EVERY:
            body += code.get(params) + everyone + code.call(first + k)
            continue
        body += _count_down(stage, strips) + code.tee(mask) + VECTOR["any_true"] + OPS["if"]
        body += code.get(params) + code.get(mask) + code.call(first + k)
        bit = code.get(mask) + vector.words([1 << stage.bit] * LANES) + VECTOR["and"]
        body += code.get(fired) + bit + VECTOR["or"] + code.put(fired) + OPS["else"]
        body += b"".join(_cleared(wide.layouts, strips, name) for name in stage.outputs) + OPS["end"]
    return code.function([V128] * 2, body + code.get(fired))


def _count_down(stage: Stage, strips: Strips) -> bytes:
    """Leave on the stack which lanes are due, and set how long each waits from now on."""
    place = strips.places["state"] + strips.layouts["state"].first[wait_of(stage.clock)] * BYTES
    wait = code.i32(0) + vector.load(place)
    due = wait + vector.words([0] * LANES) + VECTOR["i32x4.eq"]
    less = wait + vector.words([1] * LANES) + VECTOR["i32x4.sub"]
    after = vector.words([stage.clock.period - 1] * LANES) + less + due + VECTOR["bitselect"]
    return due + code.i32(0) + after + vector.store(place)


def _cleared(layouts: Layouts, strips: Strips, name: str) -> bytes:
    field = layouts.output.field(name)
    first = strips.layouts["out"].first
    ends = [first[f.name] for f in layouts.output.fields if f.offset > field.offset]
    size = min(ends, default=strips.layouts["out"].elements) - first[name]
    place = code.i32(strips.places["out"] + first[name] * BYTES)
    return place + code.i32(0) + code.i32(size * BYTES) + OPS["memory.fill"]


def _groups(lay: Layouts, movers: int) -> bytes:
    states, params, into, out, fired, n, count, k, r, row, result, bits, word = range(13)
    into_strip, reading, answer, back, step = range(movers, movers + 5)
    state_size = code.i32(lay.state.size)

    def apart(size: int) -> bytes:
        return times(code.get(n), size)

    one = code.get(row) + apart(lay.input.size) + code.call(reading)
    one += code.get(params) + code.call(step) + code.put(word)
    one += code.get(result) + apart(lay.output.size) + code.call(answer)
    for lane in range(LANES):
        one += total([code.get(bits), apart(WORD * lane)]) + code.get(word) + vector.store_lane(lane, 0)
    for local, size in ((row, lay.input.size), (result, lay.output.size), (bits, WORD)):
        one += advance(local, code.i32(size))
    body = code.get(states) + state_size + code.call(into_strip)
    for local, start in ((row, into), (result, out), (bits, fired)):
        body += code.get(start) + code.put(local)
    body += counted(r, n, one) + code.get(states) + state_size + code.call(back)
    body += advance(states, code.i32(LANES * lay.state.size))
    for start, size in ((into, lay.input.size), (out, lay.output.size), (fired, WORD)):
        body += advance(start, apart(LANES * size))
    return code.function([code.I32] * 5 + [V128], counted(k, count, body))
