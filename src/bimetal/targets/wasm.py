"""Wasm: a program as a module, written straight from the loops; the same bytes for all parameter values.

| export | what |
| --- | --- |
| `memory` | grows as the host wants; below `heap` it belongs to the module |
| `heap` | first byte that is free for the host, a multiple of 16 |
| `step(state, params, in, out) -> i32` | one reading; addresses of structs; returns what fired |
| `rows(state, params, in, out, fired, n)` | n readings of one device, structs one after the other |
| `devices(states, params, in, out, fired, n, count)` | n readings of each of count devices |
| `groups(states, params, in, out, fired, n, count)` | n readings of each of 4 * count devices, four at once |

`groups` is there if it is asked for.

What a stage that did not fire puts out is 0; bytes between fields are not touched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bimetal.program.layout import Field, wait_of
from bimetal.program.node import DTYPES, EVERY
from bimetal.targets import wasm_code as code
from bimetal.targets.loops import Lowered, Stage
from bimetal.targets.unroll import unrolled
from bimetal.targets.wasm_call import PAGE
from bimetal.targets.wasm_code import OPS
from bimetal.targets.wasm_group import group_code, spread
from bimetal.targets.wasm_loop import advance, counted, times, total
from bimetal.targets.wasm_stage import Memory, stage_code

FIRST = 16
"""Tables start here: nothing lies at address 0."""

STATE, PARAMS, IN, OUT = range(4)
STAGE, STEP, ROWS, DEVICES = (
    code.signature([code.I32] * 4, ()),
    code.signature([code.I32] * 4, [code.I32]),
    code.signature([code.I32] * 6, ()),
    code.signature([code.I32] * 7, ()),
)


@dataclass(frozen=True, slots=True)
class Module:
    """A module and its first free byte."""

    code: bytes
    heap: int


def write_wasm(lowered: Lowered, *, groups: bool = False, together: Lowered | None = None) -> Module:
    """Return a program as a WebAssembly module; with `groups`, it can run four devices at once too.

    `together` is the same program as four devices run it, where that has kernels; alone there are none.
    """
    lowered = _unrolled(lowered)
    places, data, heap = _arranged(lowered, FIRST)
    memory = Memory(lowered.layouts, places)
    count = len(lowered.stages)
    found = [(STAGE, stage_code(s, memory)) for s in lowered.stages]
    found += [(STEP, _step(lowered)), (ROWS, _rows(lowered, count)), (DEVICES, _devices(lowered, count + 1))]
    exports = {"step": count, "rows": count + 1, "devices": count + 2}
    if groups:
        if together is not None:
            lowered = _unrolled(together)
            places, more, heap = _arranged(lowered, heap)
            data, memory = data + more, Memory(lowered.layouts, places)
        wide, strips, heap = spread(lowered, heap)
        found += group_code(wide, memory, strips, len(found))
        exports["groups"] = len(found) - 1
    kinds = list(dict.fromkeys(signature for signature, _ in found))
    return Module(
        code.module(
            code.section(1, kinds),
            code.section(3, [code.unsigned(kinds.index(signature)) for signature, _ in found]),
            code.section(5, [b"\x00" + code.unsigned(-(-heap // PAGE))]),
            code.section(6, [bytes([code.I32, 0]) + code.i32(heap) + OPS["end"]]),
            code.section(7, [
                code.exported("memory", 2, 0),
                code.exported("heap", 3, 0),
                *(code.exported(name, 0, number) for name, number in exports.items()),
            ]),
            code.section(10, [body for _, body in found]),
            code.section(11, data),
        ),
        heap,
    )  # fmt: skip


def _unrolled(lowered: Lowered) -> Lowered:
    return replace(lowered, stages=tuple(replace(s, body=unrolled(s.body)) for s in lowered.stages))


def _arranged(lowered: Lowered, first: int) -> tuple[dict[str, int], list[bytes], int]:
    """Place tables from a byte on, and scratch memory; returns where, what the tables hold, the next byte."""
    places: dict[str, int] = {}
    data = bytearray()
    for table in lowered.tables:
        data += bytes(-len(data) % DTYPES[table.buf.dtype].itemsize)
        places[table.buf.name] = first + len(data)
        data += table.values.tobytes()
    scratch = -(-(first + len(data)) // 16) * 16
    heap = -(-(scratch + lowered.scratch_bytes) // 16) * 16
    places["scratch"] = scratch
    segment = b"\x00" + code.i32(first) + OPS["end"] + code.unsigned(len(data)) + bytes(data)
    return places, [segment] if data else [], heap


def _step(lowered: Lowered) -> bytes:
    """One reading: every stage that is due, in order."""
    fired = 4
    fields = {f.name: f for f in lowered.layouts.output.fields}
    body = code.i32(1) + code.put(fired)
    for k, stage in enumerate(lowered.stages):
        run = b"".join(code.get(a) for a in range(4)) + code.call(k)
        body += run if stage.clock == EVERY else _when_due(lowered, stage, run, fields)
    return code.function([code.I32], body + code.get(fired))


def _when_due(lowered: Lowered, stage: Stage, run: bytes, fields: dict[str, Field]) -> bytes:
    """Count down, and run a stage when the count is 0; clear what it puts out otherwise."""
    fired = 4
    at = lowered.layouts.state.field(wait_of(stage.clock)).offset
    wait = code.get(STATE) + code.load("i32", at)
    fires = run + code.get(fired) + code.i32(1 << stage.bit) + OPS["i32.or"] + code.put(fired)
    fires += code.get(STATE) + code.i32(stage.clock.period - 1) + code.store("i32", at)
    waits = code.get(STATE) + wait + code.i32(1) + OPS["i32.sub"] + code.store("i32", at)
    waits += b"".join(_clear(fields[name]) for name in stage.outputs)
    return wait + OPS["i32.eqz"] + OPS["if"] + fires + OPS["else"] + waits + OPS["end"]


def _clear(field: Field) -> bytes:
    return (
        total([code.get(OUT), code.i32(field.offset)])
        + code.i32(0)
        + code.i32(field.size)
        + OPS["memory.fill"]
    )


def _rows(lowered: Lowered, step: int) -> bytes:
    """Readings of one device, one after the other."""
    fired, n, k = 4, 5, 6
    lay = lowered.layouts
    body = code.get(fired) + code.get(STATE) + code.get(PARAMS) + code.get(IN) + code.get(OUT)
    body += code.call(step) + code.store("i32", 0)
    for pointer, size in ((IN, lay.input.size), (OUT, lay.output.size), (fired, 4)):
        body += advance(pointer, code.i32(size))
    return code.function([code.I32], counted(k, n, body))


def _devices(lowered: Lowered, rows: int) -> bytes:
    """Readings of many devices; each has its own state."""
    fired, n, count, k = 4, 5, 6, 7
    lay = lowered.layouts
    body = b"".join(code.get(a) for a in (STATE, PARAMS, IN, OUT, fired, n)) + code.call(rows)
    body += advance(STATE, code.i32(lay.state.size))
    for pointer, size in ((IN, lay.input.size), (OUT, lay.output.size), (fired, 4)):
        body += advance(pointer, times(code.get(n), size))
    return code.function([code.I32], counted(k, count, body))
