"""Wasm run: modules run in wasmtime, inside bounded memory, many readings to a call."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, Broken, Unsupported
from bimetal.program.block import HEAD, unpack
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.range import Ranges
from bimetal.program.verify import check
from bimetal.targets.kernels.company import Company, Run, company_of
from bimetal.targets.kernels.forest import places_of
from bimetal.targets.kernels.substitute import dense_in_one_piece
from bimetal.targets.lane import in_company, whole_of
from bimetal.targets.lower import lower
from bimetal.targets.wasm import Module, write_wasm
from bimetal.targets.wasm_call import PAGE, caller, grown, new_engine
from bimetal.targets.wasm_vector import LANES

MOST_BYTES = 1 << 20
"""Readings and results of about this many bytes go in at once."""
MOST_MODULES = 64
MANY = 64
"""From so many devices a forest is asked for all of them together. Of three forests that was slower than four
at once for 32 devices in two, and faster for 64 in all (bench/trees.py --few)."""


class WasmTarget:
    """WebAssembly in wasmtime: no compiler needed, the same bytes as in a browser."""

    name = "wasm"

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
        values = unpack(program, block)
        many = functools.cache(functools.partial(_company, program, values))
        compiled = functools.partial(compiled_module, _Content(digest(program), program))
        return WasmRunning(program, block[HEAD.size :], compiled, many)


class WasmRunning:
    """A program with its parameters; one call at a time.

    Four devices or more are run four at once, by a module that is compiled when first needed; where
    there are forests, many at once, if `many` gives their company.
    """

    def __init__(
        self,
        program: Program,
        params: bytes,
        compiled: Callable[[bool], tuple[Any, Module]],
        many: Callable[[], Company | None],
    ) -> None:
        self.program = program
        self.layouts = layout_of(program)
        self._params = params
        self._compiled = compiled
        self._many = many
        self._one = _Instance(program, params, *compiled(False), False)
        self._four: _Instance | None = None

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
        if len(rows) < LANES:
            return self._one.run(states, rows)
        company = self._many() if len(rows) >= MANY else None
        if company is not None:
            return company.run(states, rows)
        if self._four is None:
            self._four = _Instance(self.program, self._params, *self._compiled(True), True)
        return in_company(self._four.run, states, rows, lay, self.program.clocks)


class _Instance:
    """A module with parameters in a memory of its own."""

    def __init__(self, program: Program, params: bytes, compiled: Any, module: Module, wide: bool) -> None:
        import wasmtime

        self.title = program.title
        self.layouts = layout_of(program)
        lay = self.layouts
        self._reading = lay.input.size + lay.output.size + 4
        self._params = module.heap
        self._free = _round(module.heap + len(params))
        most = self._free + 4 * MOST_BYTES + 2 * LANES * (lay.state.size + self._reading) + 5 * PAGE
        self._store = wasmtime.Store(_engine())
        self._store.set_limits(memory_size=most, instances=1, tables=0, memories=1)
        exports = wasmtime.Instance(self._store, compiled, []).exports(self._store)
        self._memory: Any = exports["memory"]
        self._seen = np.zeros(0, np.uint8)
        self._devices = caller(self._store, exports["devices"])
        self._groups = caller(self._store, exports["groups"]) if wide else None
        self._bytes(self._free)[module.heap : self._params + len(params)] = np.frombuffer(params, np.uint8)

    def run(
        self, states: NDArray[np.uint8], rows: NDArray[Any]
    ) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint32]]:
        """Feed rows (D, n) to devices, as many at a time as fit the memory."""
        lay = self.layouts
        after = np.empty(states.shape, np.uint8)
        outputs = np.zeros(rows.shape, whole_of(lay.output))
        fired = np.empty(rows.shape, np.uint32)
        rows = rows.view(whole_of(lay.input))
        few = max(1, MOST_BYTES // self._reading)
        for t in range(0, rows.shape[1], few):
            turn = slice(t, t + few)
            wide = rows[:, turn].shape[1] * self._reading + lay.state.size
            many = max(1, MOST_BYTES // wide // LANES) * LANES
            for d in range(0, len(rows), many):
                part = slice(d, d + many)
                before = (after if t else states)[part]
                after[part], outputs[part, turn], fired[part, turn] = self._part(before, rows[part, turn])
        return after, outputs.view(lay.output.dtype), fired

    def _part(
        self, states: NDArray[np.uint8], rows: NDArray[Any]
    ) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint32]]:
        """Run what fits the memory at once; what is returned lies there until the next call."""
        lay, n = self.layouts, rows.size
        sizes = (len(states) * lay.state.size, n * lay.input.size, n * lay.output.size, n * 4)
        starts = [self._free]
        for size in sizes:
            starts.append(_round(starts[-1] + size))
        state, into, out, bits = (slice(at, at + size) for at, size in zip(starts, sizes, strict=False))
        memory = self._bytes(starts[-1])
        memory[state].reshape(states.shape)[...] = states
        if lay.input.size:
            memory[into].view(rows.dtype).reshape(rows.shape)[...] = rows
        memory[out] = 0
        self._call(starts[:4], *rows.shape)
        outputs = memory[out].view(whole_of(lay.output)) if lay.output.size else np.empty(n, "V0")
        fired = memory[bits].view(np.uint32)
        return memory[state].reshape(states.shape), outputs.reshape(rows.shape), fired.reshape(rows.shape)

    def _call(self, starts: Sequence[int], devices: int, n: int) -> None:
        """Run groups of four, and what is left of the devices one by one."""
        lay = self.layouts
        groups = devices // LANES if self._groups else 0
        sizes = (lay.state.size, n * lay.input.size, n * lay.output.size, n * 4)
        state, into, out, bits = starts
        try:
            if groups and self._groups:
                self._groups(state, self._params, into, out, bits, n, groups)
            if devices > groups * LANES:
                state, into, out, bits = (
                    at + groups * LANES * size for at, size in zip(starts, sizes, strict=True)
                )
                left = devices - groups * LANES
                self._devices(state, self._params, into, out, bits, n, left)
        except Exception as e:
            raise Broken(f"the emitted code stopped: {e}", where=self.title) from None

    def _bytes(self, size: int) -> NDArray[np.uint8]:
        """Return the memory as bytes, grown to a size."""
        self._seen = grown(self._store, self._memory, self._seen, size)
        return self._seen


@functools.cache
def _engine() -> Any:
    """Return the one compiler of this process, made when first asked for."""
    engine = new_engine()
    atexit.register(_let_go, engine)
    return engine


def _let_go(engine: Any) -> None:
    """Let go of the compiler and its modules before the interpreter takes wasmtime itself apart.

    After that neither could be, and would say so.
    """
    compiled_module.cache_clear()
    engine.close()


def _company(program: Program, values: dict[str, NDArray[Any]]) -> Company | None:
    """Return how a program with forests is run by many devices at once, None for any other."""
    if not any(places_of(program)):
        return None
    return company_of(program, check(program).ranges, values, _made)


def _made(program: Program, ranges: Ranges, params: bytes) -> Run:
    import wasmtime

    module = write_wasm(lower(program, ranges), groups=True)
    return _Instance(program, params, wasmtime.Module(_engine(), module.code), module, True).run


@dataclass(frozen=True, slots=True)
class _Content:
    """A program, the same as any other of the same content."""

    digest: bytes
    program: Program = field(compare=False)


@functools.lru_cache(MOST_MODULES)
def compiled_module(content: _Content, groups: bool) -> tuple[Any, Module]:
    """Return the compiled module of a program, with functions for groups of devices or without.

    A module has no state, and its code does not depend on what was learned.
    """
    import wasmtime

    program = content.program
    ranges = check(program).ranges
    together = lower(program, ranges, dense_in_one_piece) if groups else None
    module = write_wasm(lower(program, ranges), groups=groups, together=together)
    return wasmtime.Module(_engine(), module.code), module


def _round(size: int) -> int:
    return -(-size // 16) * 16
