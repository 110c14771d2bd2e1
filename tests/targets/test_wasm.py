"""Emitted modules: two engines take them, they depend on the program alone, and keep to their own memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimetal.program.block import HEAD
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm import FIRST, write_wasm
from bimetal.targets.wasm_call import PAGE
from tests.agree.random_program import random_rows
from tests.targets.compiled import run, written
from tests.targets.given import detector, lowered, many_programs, small

wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not there for this machine")
PROGRAMS = list(many_programs(6))
EXPORTS = {"memory", "heap", "step", "rows", "devices"}


@pytest.mark.parametrize("groups", [False, True])
def test_wasmtime_takes_every_module(groups: bool) -> None:
    engine = wasmtime.Engine()
    for program in PROGRAMS:
        module = wasmtime.Module(engine, write_wasm(lowered(program), groups=groups).code)
        assert {e.name for e in module.exports} == EXPORTS | ({"groups"} if groups else set())
        assert not list(module.imports), "it asks for something from outside"


@pytest.mark.needs("node")
def test_node_takes_every_module(tmp_path: Path) -> None:
    files = {
        f"{k}-{int(groups)}.wasm": write_wasm(lowered(program), groups=groups).code
        for k, program in enumerate(PROGRAMS)
        for groups in (False, True)
    }
    script = """import { readFileSync, readdirSync } from "node:fs";
const names = readdirSync(".").filter((name) => name.endsWith(".wasm"));
for (const name of names) if (!WebAssembly.validate(readFileSync(name))) throw new Error(name);
console.log(names.length);
"""
    written(tmp_path, {**files, "check.mjs": script})
    assert int(run(["node", "check.mjs"], tmp_path)) == len(files)


def test_code_does_not_depend_on_what_was_learned() -> None:
    assert len({write_wasm(lowered(small(gain)[0])).code for gain in (1.0, -0.0, 7.5)}) == 1


def test_the_same_program_is_the_same_module() -> None:
    assert len({write_wasm(lowered(detector(2)[0])).code for _ in range(3)}) == 1


def test_the_heap_comes_after_all_that_is_the_modules() -> None:
    for program in PROGRAMS:
        low = lowered(program)
        module = write_wasm(low)
        tables = sum(t.values.nbytes for t in low.tables)
        assert module.heap % 16 == 0
        assert module.heap >= FIRST + tables + low.scratch_bytes


class Instance:
    """A module with its memory laid bare."""

    def __init__(self, program: Program) -> None:
        module = write_wasm(lowered(program))
        self.heap = module.heap
        self.store = wasmtime.Store()
        instance = wasmtime.Instance(self.store, wasmtime.Module(self.store.engine, module.code), [])
        self.exports: Any = instance.exports(self.store)
        self.memory = self.exports["memory"]

    def grow(self, size: int) -> None:
        """Make memory of at least so many bytes."""
        have = self.memory.data_len(self.store)
        if have < size:
            self.memory.grow(self.store, -(-(size - have) // PAGE))

    def read(self) -> np.ndarray:
        """All memory, as it is now."""
        return np.frombuffer(bytes(self.memory.read(self.store)), np.uint8)


@pytest.mark.parametrize("program", [small()[0], *PROGRAMS[:15]], ids=lambda p: p.title[:20])
def test_a_step_writes_its_state_its_results_and_its_own_memory_only(program: Program) -> None:
    lay = layout_of(program)
    instance = Instance(program)
    sizes = (lay.state.size, lay.params.size, lay.input.size, lay.output.size)
    starts = [instance.heap + 4096 + 65536 * k for k in range(4)]
    instance.grow(starts[-1] + 65536)
    rng = np.random.default_rng(1)
    row = random_rows(program, 1, 1, nasty=True).tobytes()
    filled = rng.integers(0, 256, len(instance.read()), dtype=np.uint8)
    filled[: instance.heap] = instance.read()[: instance.heap]
    params = np.zeros((), lay.params.dtype)
    for start, data in zip(starts, (initial_state(program), params.tobytes(), row), strict=False):
        filled[start : start + len(data)] = np.frombuffer(data, np.uint8)
    instance.memory.write(instance.store, filled.tobytes(), 0)
    before = instance.read()
    instance.exports["step"](instance.store, *starts)
    changed = np.flatnonzero(before != instance.read())
    owned = [(0, instance.heap), (starts[0], starts[0] + sizes[0]), (starts[3], starts[3] + sizes[3])]
    for low, high in owned:
        changed = changed[(changed < low) | (changed >= high)]
    assert not changed.size, f"bytes {changed[:5]} are nobody's business"


def test_bytes_between_fields_are_not_touched() -> None:
    program, block = small()
    lay = layout_of(program)
    instance = Instance(program)
    state, params, into, out = (instance.heap + 1024 * k for k in range(4))
    instance.memory.write(instance.store, initial_state(program), state)
    instance.memory.write(instance.store, block[HEAD.size :], params)
    instance.memory.write(instance.store, b"\xa5" * lay.output.size, out)
    instance.exports["step"](instance.store, state, params, into, out)
    found = np.frombuffer(bytes(instance.memory.read(instance.store, out, out + lay.output.size)), np.uint8)
    held = {at for f in lay.output.fields for at in range(f.offset, f.offset + f.size)}
    between = sorted(set(range(lay.output.size)) - held)
    assert between
    assert set(found[between].tolist()) == {0xA5}


def test_rows_and_devices_are_steps_one_after_the_other() -> None:
    program, block = small()
    lay = layout_of(program)
    count, n = 3, 5
    rows = np.stack([random_rows(program, seed, n) for seed in range(count)])
    data = lay.input.conformed(rows).tobytes()
    instance = Instance(program)
    sizes = (count * lay.state.size, lay.params.size, len(data), count * n * lay.output.size, 4 * count * n)
    starts = [instance.heap]
    for size in sizes[:-1]:
        starts.append(starts[-1] + -(-size // 16) * 16)
    for start, given in zip(starts, (initial_state(program) * count, block[HEAD.size :], data), strict=False):
        instance.memory.write(instance.store, given, start)
    instance.exports["devices"](instance.store, *starts, n, count)
    memory = instance.read()
    fired = memory[starts[4] : starts[4] + sizes[4]].view("<u4").reshape(count, n)
    states = memory[starts[0] : starts[0] + sizes[0]].reshape(count, lay.state.size)
    law = NumpyTarget().load(program, block)
    for d in range(count):
        state, _, bits = law.run(initial_state(program), rows[d])
        assert states[d].tobytes() == state
        assert list(fired[d]) == list(bits)


def test_no_readings_and_no_devices_do_nothing() -> None:
    program, _ = small()
    instance = Instance(program)
    before = instance.read()
    at = instance.heap
    instance.exports["rows"](instance.store, at, at, at, at, at, 0)
    instance.exports["devices"](instance.store, at, at, at, at, at, 0, 3)
    instance.exports["devices"](instance.store, at, at, at, at, at, 3, 0)
    assert (before == instance.read()).all()
