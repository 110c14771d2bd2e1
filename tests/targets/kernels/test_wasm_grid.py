"""Grids: floats become octets in wasm, at the edges themselves, at the ends, and for gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wasmtime
from numpy.typing import NDArray

from bimetal.targets.kernels.blend import DEVICES, TURNED, Grid
from bimetal.targets.kernels.wasm_blend import module
from bimetal.targets.kernels.wasm_grid import ENTRY_BYTES

ENDS = [
    np.nan,
    np.inf,
    -np.inf,
    0.0,
    -0.0,
    1e-45,
    -1e-45,
    3.4e38,
    -3.4e38,
    1.0,
    np.nextafter(np.float32(1), 2),
]


def octets(grid: Grid, x: NDArray[np.float32]) -> NDArray[np.uint8]:
    """What the module makes of whole blocks of vectors (n, features)."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    exports: Any = wasmtime.Instance(store, wasmtime.Module(engine, module()), []).exports(store)
    memory, parts = exports["memory"], grid.parts
    entries, edges = np.zeros((len(parts), 3), "<i4"), np.concatenate([e for _, e in parts]).astype("<f4")
    at = 16 + ENTRY_BYTES * len(parts)
    for entry, (feature, own) in zip(entries, parts, strict=True):
        entry[:] = at, at + 4 * len(own), 4 * feature
        at += 4 * len(own)
    floats = -(-at // 16) * 16
    out = floats + x.nbytes
    memory.grow(store, -(-(out + x.size * 8) // 65536))
    for place, data in ((16, entries), (16 + entries.nbytes, edges), (floats, x.astype("<f4"))):
        memory.write(store, data.tobytes(), place)
    blocks = len(x) // DEVICES
    exports["octets"](store, floats, out, blocks, 16, len(parts), 4 * x.shape[1])
    found = np.frombuffer(memory.read(store, out, out + blocks * len(parts) * DEVICES), np.uint8)
    return (found ^ TURNED).reshape(blocks, len(parts), DEVICES).transpose(0, 2, 1).reshape(len(x), -1)


@pytest.mark.parametrize("seed", range(4))
def test_an_octet_counts_the_edges_that_are_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    finite = [v for v in ENDS if np.isfinite(v)]
    edges = tuple(
        np.unique(np.concatenate([rng.normal(size=n), rng.choice(finite, 4)]).astype(np.float32))
        for n in (1, 9, 254, 600)
    )
    x = rng.normal(size=(2 * DEVICES, 4)).astype(np.float32)
    at = np.stack([rng.choice(e, len(x)) for e in edges], axis=1)
    x = np.where(
        rng.random(x.shape) < 0.4, at, np.where(rng.random(x.shape) < 0.4, rng.choice(ENDS, x.shape), x)
    )
    x = x.astype(np.float32)
    grid = Grid(edges)
    expected = np.stack([(own < x[:, [f]]).sum(axis=1) for f, own in grid.parts], axis=1)
    assert (octets(grid, x) == expected).all()
    assert grid.starts[-1] == expected.shape[1]


def test_a_column_without_edges_takes_no_octet() -> None:
    grid = Grid((np.zeros(0, np.float32), np.ones(1, np.float32)))
    x = np.tile(np.array([[5.0, 1.5]], np.float32), (DEVICES, 1))
    assert octets(grid, x).tolist() == [[1]] * DEVICES
