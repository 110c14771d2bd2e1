"""Company: many devices at once through a program with forests, each forest for 128 of them at a time."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.range import Ranges
from bimetal.targets.kernels.blend import DEVICES, FIRST, LEAVES, ROW, TURNED, UNIT, Blending, blending
from bimetal.targets.kernels.forest import ForestKernel
from bimetal.targets.kernels.parted import Parts, parts_of
from bimetal.targets.kernels.regrow import linked
from bimetal.targets.kernels.wasm_blend import PART_BYTES, TREE_BYTES, module
from bimetal.targets.kernels.wasm_grid import ENTRY_BYTES
from bimetal.targets.wasm_call import caller, grown, new_engine

Answers = tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint32]]
Run = Callable[[NDArray[np.uint8], NDArray[Any]], Answers]
Make = Callable[[Program, Ranges, bytes], Run]
Values = Mapping[str, NDArray[Any]]
MOST_BLOCKS = 32
"""How many blocks of devices are handed over at once: what they take stays in the caches."""


class Company:
    """A program with forests, for DEVICES devices or more."""

    def __init__(
        self, program: Program, parts: Parts, forests: list[_Forest], make: Make, values: Values
    ) -> None:
        self.layouts = layout_of(program)
        self._parts = parts
        self._forests = forests
        self._ahead = make(parts.ahead, parts.ranges, _params(parts.ahead, values)) if parts.ahead else None
        self._behind = make(parts.behind, parts.ranges, _params(parts.behind, values))
        self._given = layout_of(parts.behind).input.dtype

    def run(self, states: NDArray[np.uint8], rows: NDArray[Any]) -> Answers:
        """Feed rows (D, n) to D devices with states (D, state bytes), reading by reading."""
        if rows.shape[1] == 1:
            return self._behind(states, self._given_rows(states, rows))
        after = states
        outputs = np.zeros(rows.shape, self.layouts.output.dtype)
        fired = np.ones(rows.shape, np.uint32)
        for t in range(rows.shape[1]):
            turn = slice(t, t + 1)
            after, said, _ = self._behind(after, self._given_rows(after, rows[:, turn]))
            outputs[:, turn] = said
        return np.array(after), outputs, fired

    def _given_rows(self, states: NDArray[np.uint8], rows: NDArray[Any]) -> NDArray[Any]:
        given = np.zeros(rows.shape, self._given)
        for name in self._given.names or ():
            if name in (rows.dtype.names or ()):
                given[name] = rows[name]
        ahead = self._ahead(states, _rows_for(self._parts.ahead, rows))[1] if self._ahead else rows
        for k, place in enumerate(self._parts.places):
            name = place.x.name if self._ahead is None else f"x_{k}"
            given[f"sums_{k}"][:, 0] = self._forests[k].sums(ahead[name][:, 0])
        return given


def company_of(program: Program, ranges: Ranges, values: Values, make: Make) -> Company | None:
    """Return how many devices run a program at once, None where it has no forest that can be blended.

    `make` readies a part of the program: its ranges are known, its parameters bytes of their struct.
    """
    parts = parts_of(program, ranges)
    if parts is None:
        return None
    forests = [f for f in (_forest(place.kernel, values) for place in parts.places) if f]
    return Company(program, parts, forests, make, values) if len(forests) == len(parts.places) else None


def _forest(kernel: ForestKernel, values: Values) -> _Forest | None:
    found = linked(kernel, values)
    blend = blending(*found) if found else None
    return _Forest(found[0], blend, found[1]) if found and blend else None


def _params(program: Program | None, values: Values) -> bytes:
    layout = layout_of(program).params if program else None
    if layout is None or not layout.size:
        return b""
    struct = np.zeros((), layout.dtype)
    for field in layout.fields:
        struct[field.name] = values[field.name]
    return struct.tobytes()


def _rows_for(program: Program | None, rows: NDArray[Any]) -> NDArray[Any]:
    assert program is not None
    found = np.zeros(rows.shape, layout_of(program).input.dtype)
    for name in found.dtype.names or ():
        found[name] = rows[name]
    return found


class _Forest:
    """The records of a forest in a memory of their own."""

    def __init__(self, kernel: ForestKernel, blend: Blending, values: Values) -> None:
        import wasmtime

        self.kernel = kernel
        self._store = wasmtime.Store(_engine())
        exports = wasmtime.Instance(self._store, _module(), []).exports(self._store)
        self._memory: Any = exports["memory"]
        self._seen = np.zeros(0, np.uint8)
        self._octets = caller(self._store, exports["octets"])
        self._run = caller(self._store, exports["sums" if kernel.rows else "votes"])
        self.blend = blend
        worth, first = _worth(kernel, blend, values)
        trees = np.zeros((kernel.trees, TREE_BYTES // 4), "<i4")
        records = blend.free
        self._trees = -(-(records + blend.records.nbytes) // UNIT) * UNIT
        table = self._trees + trees.nbytes
        ends = records + np.cumsum(blend.counts) * blend.records.itemsize
        trees[:, 1], trees[0, 0], trees[1:, 0] = ends, records, ends[:-1]
        if kernel.rows:
            trees[:, 2], trees[:, 4] = table + PART_BYTES * first[:-1], np.diff(first) // kernel.width
            turn = np.arange(kernel.trees) % kernel.outputs if kernel.width < kernel.outputs else 0
            trees[:, 3] = 4 * DEVICES * turn
        grid, edges = _edges(blend, table + worth.nbytes)
        self._grid = _aligned(table + worth.nbytes)
        self._x = _aligned(self._grid + grid.nbytes + edges.nbytes)
        self._out = self._x + MOST_BLOCKS * blend.octets * DEVICES
        self._cell: Any = np.dtype("<i4") if kernel.rows else np.dtype("u1")
        self._floats = _aligned(self._out + MOST_BLOCKS * kernel.outputs * DEVICES * self._cell.itemsize)
        wide = 4 * kernel.features if blend.grid else 0
        memory = self._bytes(self._floats + MOST_BLOCKS * DEVICES * wide)
        leaves = np.repeat(np.arange(LEAVES, dtype=np.uint8), ROW * UNIT)
        for at, data in (
            (FIRST * UNIT, leaves),
            (records, blend.records),
            (self._trees, trees),
            (table, worth),
            (self._grid, grid),
            (self._grid + grid.nbytes, edges),
        ):
            memory[at : at + data.nbytes] = np.frombuffer(data.tobytes(), np.uint8)

    def sums(self, x: NDArray[Any]) -> NDArray[np.int32]:
        """Return the sums (D, outputs) of vectors (D, features)."""
        kernel = self.kernel
        found = np.empty((len(x), kernel.outputs), np.int32)
        for start in range(0, len(x), MOST_BLOCKS * DEVICES):
            part = x[start : start + MOST_BLOCKS * DEVICES]
            out = self._blocks(part, -(-len(part) // DEVICES))
            whole = out.transpose(0, 2, 1).reshape(-1, kernel.outputs)
            found[start : start + len(part)] = whole[: len(part)]
        return found

    def _blocks(self, x: NDArray[np.uint8], blocks: int) -> NDArray[Any]:
        """Run vectors, a block for each DEVICES of them; what is beyond the last is filled up."""
        kernel, size = self.kernel, self.kernel.outputs * DEVICES * self._cell.itemsize
        memory, octets = self._bytes(0), self.blend.octets
        if self.blend.grid:
            memory[self._floats : self._floats + x.nbytes].view(np.float32).reshape(x.shape)[...] = x
            self._octets(self._floats, self._x, blocks, self._grid, octets, 4 * kernel.features)
        else:
            self._turn(x, memory[self._x : self._x + blocks * DEVICES * octets].reshape(-1, octets, DEVICES))
        memory[self._out : self._out + blocks * size] = 0
        width = kernel.width if kernel.rows else kernel.outputs
        self._run(
            self._x, self._out, blocks, self._trees, kernel.trees, octets * DEVICES, size, width
        )  # fmt: skip
        out = memory[self._out : self._out + blocks * size].view(self._cell)
        return out.reshape(blocks, kernel.outputs, DEVICES)

    @staticmethod
    def _turn(x: NDArray[np.uint8], into: NDArray[np.uint8]) -> None:
        """Write vectors (n, octets) as blocks (octets, DEVICES), their highest bits turned."""
        whole, left = divmod(len(x), DEVICES)
        into[:whole] = x[: whole * DEVICES].reshape(whole, DEVICES, x.shape[1]).transpose(0, 2, 1)
        into[whole:, :, :left] = x[whole * DEVICES :].T
        np.bitwise_xor(into, TURNED, out=into)

    def _bytes(self, size: int) -> NDArray[np.uint8]:
        """Return the memory as bytes, grown to a size."""
        self._seen = grown(self._store, self._memory, self._seen, size)
        return self._seen


def _edges(blend: Blending, at: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return an entry for every octet that is made of a float, to lie at a place, and edges behind them."""
    parts = blend.grid.parts if blend.grid else []
    grid = np.zeros((len(parts), ENTRY_BYTES // 4), "<i4")
    ends = _aligned(at) + grid.nbytes + 4 * np.cumsum([0, *(len(edges) for _, edges in parts)])
    for entry, (feature, _), start, end in zip(grid, parts, ends, ends[1:], strict=False):
        entry[:] = start, end, 4 * feature
    return grid, np.concatenate([np.zeros(0, "<f4"), *(edges for _, edges in parts)]).astype("<f4")


def _aligned(at: int) -> int:
    return -(-at // UNIT) * UNIT


def _worth(
    kernel: ForestKernel, blend: Blending, values: Values
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return what the leaves of all trees are worth, in parts, and where each tree's parts start and end."""
    counts = [-(-len(own) // UNIT) * kernel.width for own in blend.leaves] if kernel.rows else []
    first = np.cumsum([0, *counts])
    parts = np.zeros((int(first[-1]), 4, UNIT), np.uint8)
    if not kernel.rows:
        return parts, first
    table = np.asarray(values[f"{kernel.name}_values"], "<i4").reshape(kernel.rows, kernel.width)
    start = np.asarray(values[f"{kernel.name}_start"]).reshape(-1).tolist()
    for at, begin, own in zip(first, start, blend.leaves, strict=False):
        found = table[np.minimum(begin + np.array(own), kernel.rows - 1)]
        filled = np.zeros((-(-len(own) // UNIT) * UNIT, kernel.width), "<i4")
        filled[: len(own)] = found
        each = np.ascontiguousarray(filled.T).view(np.uint8).reshape(-1, UNIT, 4)
        parts[at : at + len(each)] = each.transpose(0, 2, 1)
    return parts, first


@functools.cache
def _engine() -> Any:
    engine = new_engine()
    atexit.register(engine.close)  # before the interpreter takes wasmtime itself apart
    return engine


@functools.cache
def _module() -> Any:
    import wasmtime

    return wasmtime.Module(_engine(), module())
