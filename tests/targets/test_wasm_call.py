"""Calls of wasm functions: the same as wasmtime's own, traps too, and cheaper; never needed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import wasmtime

from bimetal.targets import wasm_call
from bimetal.targets import wasm_code as code
from bimetal.targets.wasm_call import PAGE, caller, grown
from bimetal.targets.wasm_code import OPS


def exports(store: wasmtime.Store, engine: wasmtime.Engine) -> Any:
    """A function that stores its third argument at the sum of the others, a memory, and one of floats."""
    put = code.get(0) + code.get(1) + OPS["i32.add"] + code.get(2) + code.store("i32", 0)
    module = code.module(
        code.section(1, [code.signature([code.I32] * 3, ()), code.signature([code.F32], ())]),
        code.section(3, [code.unsigned(0), code.unsigned(1)]),
        code.section(5, [b"\x00" + code.unsigned(1)]),
        code.section(
            7, [code.exported("memory", 2, 0), code.exported("put", 0, 0), code.exported("float", 0, 1)]
        ),
        code.section(10, [code.function([], put), code.function([], b"")]),
    )
    return wasmtime.Instance(store, wasmtime.Module(engine, module), []).exports(store)


@pytest.fixture(params=["as it is", "bindings are gone"])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[wasmtime.Store, Any]:
    if request.param != "as it is":
        monkeypatch.setattr(wasm_call, "_bindings", lambda: None)
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    return store, exports(store, engine)


def test_arguments_arrive_whatever_their_sign(found: tuple[wasmtime.Store, Any]) -> None:
    store, functions = found
    put, memory = caller(store, functions["put"]), functions["memory"]
    for value in (0, 1, -1, 2**31 - 1, -(2**31)):
        put(16, 8, value)
        assert int.from_bytes(memory.read(store, 24, 28), "little", signed=True) == value


def test_a_trap_is_raised_and_the_next_call_is_none_the_worse(found: tuple[wasmtime.Store, Any]) -> None:
    store, functions = found
    put = caller(store, functions["put"])
    for _ in range(3):
        with pytest.raises(wasmtime.Trap, match="out of bounds"):
            put(65536, 0, 1)
        put(0, 0, 7)
    assert functions["memory"].read(store, 0, 1) == b"\x07"


@pytest.mark.parametrize("given", [(), (1, 2), (1, 2, 3, 4)])
def test_another_number_of_arguments_is_refused(found: tuple[wasmtime.Store, Any], given: Any) -> None:
    store, functions = found
    with pytest.raises((TypeError, wasmtime.WasmtimeError)):
        caller(store, functions["put"])(*given)


def test_functions_of_floats_are_left_to_wasmtime(found: tuple[wasmtime.Store, Any]) -> None:
    store, functions = found
    caller(store, functions["float"])(1.5)  # type: ignore[arg-type]


def test_bindings_that_do_otherwise_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        """Bindings in which the call does nothing."""

        def __getattr__(self, name: str) -> Any:
            import importlib

            real = importlib.import_module("wasmtime._bindings")
            return (lambda *_: None) if name == "wasmtime_func_call_unchecked" else getattr(real, name)

    assert not wasm_call._works(Other())
    monkeypatch.setattr(wasm_call.importlib, "import_module", lambda name: Other())
    wasm_call._bindings.cache_clear()
    assert wasm_call._bindings() is None
    wasm_call._bindings.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads of a process as Linux tells them")
def test_compiling_starts_no_threads() -> None:
    script = (
        "import os; "
        "from bimetal.learn.detector import Design, detector_program; "
        "from bimetal.targets.wasm_run import WasmTarget; from bimetal.program.block import pack; "
        "before = len(os.listdir('/proc/self/task')); "
        "program, draft = detector_program(Design(3), ['a', 'b', 'c']); "
        "WasmTarget().load(program, pack(program, draft.values)); "
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "0"


def test_a_memory_is_seen_anew_only_when_it_grows(found: tuple[wasmtime.Store, Any]) -> None:
    store, functions = found
    memory, put = functions["memory"], caller(store, functions["put"])
    first = grown(store, memory, np.zeros(0, np.uint8), 0)
    assert len(first) == PAGE
    assert grown(store, memory, first, PAGE) is first
    second = grown(store, memory, first, PAGE + 1)
    assert len(second) == 2 * PAGE
    put(PAGE, 4, 7)
    assert second[PAGE + 4] == 7
