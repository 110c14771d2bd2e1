"""Modules in wasmtime: any number of readings, bounded memory, and refusals in words."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput, BadProgram
from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Draft
from bimetal.targets import wasm_run
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import MOST_MODULES, WasmTarget, compiled_module
from tests.agree.random_program import random_program, random_rows
from tests.targets.given import detector, small


def test_more_readings_than_go_in_at_once_are_no_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wasm_run, "MOST_BYTES", 200)
    program, block = small()
    rows = random_rows(program, 1, 101)
    start = initial_state(program)
    law, wasm = (t.load(program, block).run(start, rows) for t in (NumpyTarget(), WasmTarget()))
    assert law[0] == wasm[0]
    assert law[1].tobytes() == wasm[1].tobytes()
    assert list(law[2]) == list(wasm[2])


def test_one_large_reading_fits_however_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wasm_run, "MOST_BYTES", 16)
    program, block = detector(8)
    rows = random_rows(program, 1, 7)
    start = initial_state(program)
    law, wasm = (t.load(program, block).run(start, rows) for t in (NumpyTarget(), WasmTarget()))
    assert law[0] == wasm[0]
    assert law[1].tobytes() == wasm[1].tobytes()


def test_no_readings_leave_the_state_as_it_was() -> None:
    program, block = small()
    rows = random_rows(program, 1, 0)
    state, outputs, fired = WasmTarget().load(program, block).run(initial_state(program), rows)
    assert (state, len(outputs), len(fired)) == (initial_state(program), 0, 0)


def test_a_program_keeps_no_state_of_its_own() -> None:
    program, block = detector(1)
    running = WasmTarget().load(program, block)
    rows = random_rows(program, 1, 80)
    first = running.run(initial_state(program), rows)
    running.run(first[0], random_rows(program, 2, 30, nasty=True))
    again = running.run(initial_state(program), rows)
    assert (first[0], first[1].tobytes()) == (again[0], again[1].tobytes())


def test_models_of_one_program_share_a_module_and_nothing_else() -> None:
    program, block = small(2.0)
    again, other = small(-3.0)
    first, second = WasmTarget().load(program, block), WasmTarget().load(again, other)
    rows = random_rows(program, 1, 9)
    for running, learned in ((first, block), (second, other), (first, block)):
        law = NumpyTarget().load(program, learned).run(initial_state(program), rows)
        assert running.run(initial_state(program), rows)[1].tobytes() == law[1].tobytes()
    misses = compiled_module.cache_info().misses
    WasmTarget().load(*small(5.0))
    assert compiled_module.cache_info().misses == misses


def test_only_so_many_modules_are_kept() -> None:
    for seed in range(MOST_MODULES + 2):
        program, values = random_program(seed, letters=3)
        WasmTarget().load(program, pack(program, values))
    assert compiled_module.cache_info().currsize == MOST_MODULES


@pytest.mark.parametrize("change", [b"\0", b""], ids=["a byte more", "nothing"])
def test_a_state_of_another_size_is_refused(change: bytes) -> None:
    program, block = small()
    running = WasmTarget().load(program, block)
    state = initial_state(program) + change if change else b""
    with pytest.raises(BadInput, match="do not fit a program"):
        running.run(state, random_rows(program, 1, 2))


def test_rows_of_another_struct_are_refused() -> None:
    program, block = small()
    running = WasmTarget().load(program, block)
    with pytest.raises(BadInput, match="are not rows of"):
        running.run(initial_state(program), np.zeros(3, [("x", "<f4")]))
    with pytest.raises(BadInput, match="do not fit"):
        running.run(initial_state(program), np.zeros((2, 2), layout_of(program).input.dtype))


def test_a_block_that_does_not_fit_is_refused() -> None:
    program, block = small()
    for bad in (b"", block[:-1], block + b"\0", detector(1)[1]):
        with pytest.raises(BadInput):
            WasmTarget().load(program, bad)


def test_a_program_that_breaks_a_rule_is_refused() -> None:
    draft = Draft("overflow")
    x = draft.input("x", "i32")
    draft.output("y", letter.add(x, x))
    program = draft.finish()
    with pytest.raises(BadProgram, match="do not fit i32"):
        WasmTarget().load(program, pack(program, {})).run(b"", random_rows(program, 1, 1))


def test_memory_is_bounded() -> None:
    """However many devices and readings there are, the module's memory holds a part of them at a time."""
    program, block = small()
    running = WasmTarget().load(program, block)
    rows = np.zeros((3, 40_000), layout_of(program).input.dtype)
    states = np.frombuffer(initial_state(program) * 3, np.uint8).reshape(3, -1)
    _, outputs, _ = running.run_devices(states, rows)
    assert outputs.shape == (3, 40_000)
    one = running._one
    assert one._memory.data_len(one._store) < 16 * wasm_run.MOST_BYTES
