"""Native: programs as libraries of this machine, as many devices at once as its vectors have lanes.

An accelerator, never a need: the emitted C is compiled by the compiler that is there, or by the package
ziglang, compared with the law once, and kept. While it runs, other threads of Python run too.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, Broken, Unsupported
from bimetal.program.block import HEAD, unpack
from bimetal.program.digest import digest
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.lane import Answers, in_company
from bimetal.targets.native_build import ABSENT, FLAGS, Compiler, Shelf, compiler_of, library_of
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.toolbox import Toolbox

TRIED_DEVICES, TRIED_ROWS = 35, 12
"""How much a fresh library is compared with the law: two vectors of any width, and some one by one."""


class NativeTarget:
    """Compiled code of this machine; needs a C compiler once, a toolbox, and a shelf to keep it on."""

    name = "native"

    def __init__(
        self, tools: Toolbox | None = None, shelf: Shelf | None = None, *, flags: tuple[str, ...] = FLAGS
    ) -> None:
        self._tools = tools
        self._shelf = shelf
        self._flags = flags
        self._libraries: dict[bytes, Any] = {}

    def present(self) -> str:
        """Return "" where a C compiler is found, else what would change that."""
        if os.name != "posix":
            return "native code runs on Linux and macOS only so far"
        if self._tools is None or self._shelf is None:
            return "running a compiler is not allowed from here"
        return "" if compiler_of(self._tools) else ABSENT

    def load(self, program: Program, block: bytes) -> NativeRunning:
        """Make a program ready, compiled if it was not before; its parameters are read at run time.

        Raises BadInput when the block does not fit, Unsupported where there is no compiler or the
        library cannot be kept safely, Broken when the compiler refuses the code or changes its bits.
        """
        tools, shelf = self._tools, self._shelf
        compiler = compiler_of(tools) if tools else None
        if tools is None or shelf is None or compiler is None:
            raise Unsupported(self.present(), where="native")
        unpack(program, block)
        key = digest(program)
        if key not in self._libraries:
            self._libraries[key] = self._library(program, block, compiler, tools, shelf)
        return NativeRunning(program, block[HEAD.size :], self._libraries[key])

    def _library(
        self, program: Program, block: bytes, compiler: Compiler, tools: Toolbox, shelf: Shelf
    ) -> Any:
        """Return a loaded library; a fresh one is kept under its name only once it was tried."""
        found = library_of(program, compiler, tools, shelf, self._flags)
        if found.path:
            return _loaded(found.path)
        path = shelf.put(f"{found.name}.{os.getpid()}", found.data)
        try:
            library = _loaded(path)
            if not _is_lawful(program, block, NativeRunning(program, block[HEAD.size :], library)):
                raise Broken("the compiled code gives other bits than the law", where=compiler.command[0])
        finally:
            os.remove(path)
        shelf.put(found.name, found.data)
        return library


class NativeRunning:
    """A program with its parameters; calls from several threads may overlap."""

    def __init__(self, program: Program, params: bytes, library: Any) -> None:
        self.program = program
        self.layouts = layout_of(program)
        self._params = np.frombuffer(params or b"\0", np.uint8)
        self._rows = library.bimetal_rows
        self._rows.argtypes, self._rows.restype = (*[ctypes.c_void_p] * 5, ctypes.c_int64), None
        self._devices = library.bimetal_devices
        form = (*[ctypes.c_void_p] * 6, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
        self._devices.argtypes, self._devices.restype = form, None
        self._room = ctypes.c_int32.in_dll(library, "bimetal_room").value
        self._free: list[NDArray[np.uint8]] = []

    def run(self, state: bytes, rows: NDArray[Any]) -> tuple[bytes, NDArray[Any], NDArray[np.uint32]]:
        """Feed rows (n,) of the input struct to one device, in order; see targets/target.py.

        Raises BadInput for a state or rows of another shape.
        """
        states = np.frombuffer(state, np.uint8)[None]
        after, outputs, fired = self.run_devices(states, np.asarray(rows)[None])
        return after.tobytes(), outputs[0], fired[0]

    def run_devices(self, states: NDArray[np.uint8], rows: NDArray[Any]) -> Answers:
        """Feed rows (D, n) to D devices with states (D, state bytes); each goes its own way.

        Returns states (D, state bytes), outputs (D, n) and fired (D, n), as `run` does.
        """
        lay = self.layouts
        rows = lay.input.conformed(rows)
        if rows.ndim != 2 or states.shape != (len(rows), lay.state.size):
            raise BadInput(
                f"states {states.shape} and rows {rows.shape} do not fit a program with "
                f"{lay.state.size} state bytes"
            )
        rows = np.ascontiguousarray(rows)
        if len(rows) == 1:
            after = np.array(states, np.uint8, order="C")
            return after, *self._called(self._rows, (after,), rows, (rows.shape[1],))
        return in_company(self._many, states, rows, lay, self.program.clocks)

    def _many(self, states: NDArray[np.uint8], rows: NDArray[Any]) -> Answers:
        before, after = np.ascontiguousarray(states), np.empty(states.shape, np.uint8)
        room = self._free.pop() if self._free else np.empty(self._room, np.uint8)
        try:
            rest = (rows.shape[1], len(rows), room.ctypes.data)
            return after, *self._called(self._devices, (before, after), rows, rest)
        finally:
            self._free.append(room)

    def _called(
        self, function: Any, states: tuple[NDArray[np.uint8], ...], rows: NDArray[Any], rest: tuple[int, ...]
    ) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        outputs = np.zeros(rows.shape, self.layouts.output.dtype)
        fired = np.empty(rows.shape, np.uint32)
        given = (*states, self._params, rows, outputs, fired)
        function(*(array.ctypes.data for array in given), *rest)
        return outputs, fired


def _loaded(path: str) -> Any:
    try:
        return ctypes.CDLL(path)
    except OSError as e:
        raise Unsupported(f"the library cannot be loaded ({e})", where=path) from None


def _is_lawful(program: Program, block: bytes, running: NativeRunning) -> bool:
    """Say whether devices give the law's bits, on everyday readings and on bytes of noise."""
    lay = running.layouts
    rng = np.random.default_rng(0)
    form = (TRIED_DEVICES, TRIED_ROWS)
    noise = rng.integers(0, 256, (*form, lay.input.size)).astype(np.uint8)
    rows = np.zeros(form, lay.input.dtype)
    if lay.input.size:
        rows[...] = noise.view(lay.input.dtype)[..., 0]
    for place in lay.input.fields:
        if place.dtype == "f32":
            usual = rng.normal(size=(*form, *place.shape))
            rows[place.name] = np.where(rng.random(usual.shape) < 0.8, usual, rows[place.name])
    start = np.frombuffer(initial_state(program), np.uint8)
    states = np.broadcast_to(start, (TRIED_DEVICES, lay.state.size))
    law = NumpyTarget().load(program, block).run_devices(states, rows)
    ours = running.run_devices(states, rows)
    return all(a.tobytes() == b.tobytes() for a, b in zip(law, ours, strict=True))
