"""Wasm run: modules run in wasmtime, inside bounded memory, many readings to a call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, Broken, Unsupported
from bimetal.program.block import HEAD, unpack
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.lower import lower
from bimetal.targets.wasm import PAGE, Module, write_wasm

MOST_BYTES = 1 << 20
"""Readings and results of about this many bytes go in at once."""
MOST_MODULES = 64


class WasmTarget:
    """WebAssembly in wasmtime: no compiler needed, the same bytes as in a browser."""

    name = "wasm"

    def __init__(self) -> None:
        self._modules: dict[bytes, tuple[Any, Module]] = {}

    def present(self) -> str:
        """Return "" where programs can run, else why not and what would change that."""
        try:
            _engine()
        except Exception as e:
            return f"wasmtime cannot be used here ({type(e).__name__}); `pip install wasmtime` may mend it"
        return ""

    def load(self, program: Program, block: bytes) -> WasmRunning:
        """Make a program ready with its parameter block.

        Raises BadInput when the block does not fit the program, BadProgram when the program breaks a
        rule, Unsupported where wasmtime is missing.
        """
        if self.present():
            raise Unsupported(self.present(), where="wasm")
        unpack(program, block)
        key = digest(program)
        if key not in self._modules:
            while len(self._modules) >= MOST_MODULES:
                self._modules.pop(next(iter(self._modules)))
            self._modules[key] = _compiled(program)
        compiled, module = self._modules[key]
        return WasmRunning(program, block[HEAD.size :], compiled, module.heap)


class WasmRunning:
    """A program with its parameters in a memory of its own; one call at a time."""

    def __init__(self, program: Program, params: bytes, compiled: Any, heap: int) -> None:
        import wasmtime

        self.program = program
        self.layouts = layout_of(program)
        lay = self.layouts
        self._reading = lay.input.size + lay.output.size + 4
        self._params = heap
        self._free = _round(heap + len(params))
        most = self._free + 4 * MOST_BYTES + 2 * (lay.state.size + self._reading) + 5 * PAGE
        self._store = wasmtime.Store(_engine())
        self._store.set_limits(memory_size=most, instances=1, tables=0, memories=1)
        exports = wasmtime.Instance(self._store, compiled, []).exports(self._store)
        self._memory: Any = exports["memory"]
        self._devices: Any = exports["devices"]
        self._bytes(self._free)[heap : heap + len(params)] = np.frombuffer(params, np.uint8)

    def run(self, state: bytes, rows: NDArray[Any]) -> tuple[bytes, NDArray[Any], NDArray[np.uint32]]:
        """Feed rows (n,) of the input struct to one device, in order.

        Returns the state after them, n rows of the output struct, and for each row the clocks that
        fired (bit k for the k-th of `program.clocks`). Raises BadInput for a state or rows of
        another shape.
        """
        states = np.frombuffer(state, np.uint8)[None]
        after, outputs, fired = self.run_devices(states, np.asarray(rows)[None])
        return after.tobytes(), outputs[0], fired[0]

    def run_devices(
        self, states: NDArray[np.uint8], rows: NDArray[Any]
    ) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint32]]:
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
        after = np.array(states, np.uint8, order="C")
        outputs = np.zeros(rows.shape, lay.output.dtype)
        fired = np.zeros(rows.shape, np.uint32)
        few = max(1, MOST_BYTES // self._reading)
        for t in range(0, rows.shape[1], few):
            turn = slice(t, t + few)
            wide = rows[:, turn].shape[1] * self._reading + lay.state.size
            many = max(1, MOST_BYTES // wide)
            for d in range(0, len(rows), many):
                part = slice(d, d + many)
                self._part(after[part], rows[part, turn], outputs[part, turn], fired[part, turn])
        return after, outputs, fired

    def _part(
        self, states: NDArray[np.uint8], rows: NDArray[Any], outputs: NDArray[Any], fired: NDArray[np.uint32]
    ) -> None:
        """Run what fits the memory at once, and write the results where they belong."""
        lay, n = self.layouts, rows.size
        sizes = (len(states) * lay.state.size, n * lay.input.size, n * lay.output.size, n * 4)
        starts = [self._free]
        for size in sizes:
            starts.append(_round(starts[-1] + size))
        state, into, out, bits = (slice(at, at + size) for at, size in zip(starts, sizes, strict=False))
        memory = self._bytes(starts[-1])
        memory[state] = states.reshape(-1)
        memory[into] = np.ascontiguousarray(rows).reshape(-1).view(np.uint8)
        memory[out] = 0
        where = (state.start, self._params, into.start, out.start, bits.start)
        try:
            self._devices(self._store, *where, rows.shape[1], len(rows))
        except Exception as e:
            raise Broken(f"the emitted code stopped: {e}", where=self.program.title) from None
        states[...] = memory[state].reshape(states.shape)
        if lay.output.size:
            outputs[...] = memory[out].view(lay.output.dtype).reshape(rows.shape)
        fired[...] = memory[bits].view(np.uint32).reshape(rows.shape)

    def _bytes(self, size: int) -> NDArray[np.uint8]:
        """Return the memory as bytes, grown to a size."""
        have = self._memory.data_len(self._store)
        if have < size:
            self._memory.grow(self._store, -(-(size - have) // PAGE))
            have = self._memory.data_len(self._store)
        return np.ctypeslib.as_array(self._memory.data_ptr(self._store), shape=(have,))


@functools.cache
def _engine() -> Any:
    """Return the one compiler of this process, made when first asked for."""
    import wasmtime

    return wasmtime.Engine(wasmtime.Config())


def _compiled(program: Program) -> tuple[Any, Module]:
    import wasmtime

    module = write_wasm(lower(program, check(program).ranges))
    return wasmtime.Module(_engine(), module.code), module


def _round(size: int) -> int:
    return -(-size // 16) * 16
