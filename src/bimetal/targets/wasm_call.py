"""Wasm call: functions of a module that take whole numbers, called in two microseconds instead of thirty.

wasmtime asks for the type of every argument at every call. Its own bindings have a call that does not, which
is used where it is there and gave the right answer when it was first tried; wasmtime's plain call otherwise.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.targets import wasm_code as code
from bimetal.targets.wasm_code import OPS

PAGE = 65536
"""Memories grow by so many bytes."""

Caller = Callable[..., None]
"""Calls one function with as many whole numbers of 32 bits as it takes; what it returns is lost."""


def caller(store: Any, function: Any) -> Caller:
    """Return the fastest way to call a function of a store; a trap is raised as wasmtime raises it.

    One call at a time: what is given lies in one place.
    """
    bindings = _bindings()
    kind = function.type(store)
    if bindings is None or any(str(p) != "i32" for p in (*kind.params, *kind.results)):
        return functools.partial(function, store)
    return _Unchecked(bindings, store, function, len(kind.params), len(kind.results))


class _Unchecked:
    """A call without checks: how many arguments there must be was asked once; `raw` has what comes back."""

    __slots__ = ("_bindings", "_call", "_count", "_given", "_kept", "_trap", "raw")

    def __init__(self, bindings: Any, store: Any, function: Any, count: int, results: int) -> None:
        room = max(count, results, 1)
        self.raw: Any = (bindings.wasmtime_val_raw * room)()
        self._bindings, self._count, self._kept = bindings, count, (store, function)
        self._trap = _pointer(bindings.wasm_trap_t)()
        at = ctypes.byref(self._trap)
        self._given: Any = (store._context(), ctypes.byref(function._func), self.raw, room, at)
        self._call: Any = bindings.wasmtime_func_call_unchecked

    def __call__(self, *given: int) -> None:
        if len(given) != self._count:
            raise TypeError(f"{len(given)} arguments, not {self._count}")
        for k, value in enumerate(given):
            self.raw[k].i32 = value
        error = self._call(*self._given)
        if error or self._trap:
            self._raise(error)

    def _raise(self, error: Any) -> None:
        import wasmtime

        failed: Any = wasmtime.WasmtimeError
        trapped: Any = wasmtime.Trap
        if error:
            raise failed._from_ptr(error)
        taken = ctypes.cast(self._trap, _pointer(self._bindings.wasm_trap_t))
        ctypes.memset(ctypes.byref(self._trap), 0, ctypes.sizeof(self._trap))
        raise trapped._from_ptr(taken)


def _pointer(kind: Any) -> Any:
    pointer: Any = ctypes.POINTER
    return pointer(kind)


def grown(store: Any, memory: Any, seen: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return a memory as bytes, grown to a size; `seen` is what was returned before, or nothing.

    Only the host makes our memories grow, and they move when they do and never else.
    """
    if len(seen) >= max(size, 1):
        return seen
    have = memory.data_len(store)
    if have < size:
        memory.grow(store, -(-(size - have) // PAGE))
        have = memory.data_len(store)
    return np.ctypeslib.as_array(memory.data_ptr(store), shape=(have,))


def new_engine() -> Any:
    """Return a compiler that starts no threads.

    It would start one for every core, and end the whole process where the system allows no more; programs
    are too few functions for threads to pay.
    """
    import wasmtime

    settings = wasmtime.Config()
    settings.parallel_compilation = False
    return wasmtime.Engine(settings)


@functools.cache
def _bindings() -> Any:
    """Return wasmtime's own bindings where their call without checks works, None otherwise."""
    try:
        found = importlib.import_module("wasmtime._bindings")
        return found if _works(found) else None
    except Exception:  # whatever another version has changed, the plain call is there
        return None


def _works(bindings: Any) -> bool:
    """Try a function that returns the difference of two numbers, and one that traps."""
    import wasmtime

    engine = new_engine()
    store = wasmtime.Store(engine)
    exports: Any = wasmtime.Instance(store, wasmtime.Module(engine, _tried()), []).exports(store)
    less = _Unchecked(bindings, store, exports["less"], 2, 1)
    fails = _Unchecked(bindings, store, exports["fails"], 0, 0)
    less(7, 2**31 - 1)
    first = int(less.raw[0].i32)
    for _ in range(2):
        try:
            fails()
        except wasmtime.Trap:
            continue
        return False
    less(5, 3)
    return (first, int(less.raw[0].i32)) == (7 - (2**31 - 1), 2)


def _tried() -> bytes:
    kinds = [code.signature([code.I32] * 2, [code.I32]), code.signature([], ())]
    less = code.get(0) + code.get(1) + OPS["i32.sub"]
    return code.module(
        code.section(1, kinds),
        code.section(3, [code.unsigned(0), code.unsigned(1)]),
        code.section(7, [code.exported("less", 0, 0), code.exported("fails", 0, 1)]),
        code.section(10, [code.function([], less), code.function([], UNREACHABLE)]),
    )


UNREACHABLE = b"\x00"
