"""Time the 33 features of a vibration sensor on wasm and on the law. Run: python bench/features.py [DEVICES].

Three axes of 256 readings give eleven features each: mean taken away, root mean square, peak, peak to
peak, crest factor, skewness, kurtosis, zero crossings, and four bands of a tapered spectrum as
logarithms. Prints nanoseconds a row (one window of one device) and ratios; only ratios within one run
mean anything on a shared machine. Results are compared in every bit first. With --board [KIND] instead the
instructions of one window on a simulated board (qemu), cortex-m4 unless said.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.simulate import count
from bimetal.program import word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.node import Node
from bimetal.program.operators.band_sum import BandSum
from bimetal.program.operators.concat import Concat
from bimetal.program.operators.detrend import Detrend
from bimetal.program.operators.log2 import Log2
from bimetal.program.operators.moments import Moments
from bimetal.program.operators.peak import Peak
from bimetal.program.operators.power_spectrum import PowerSpectrum
from bimetal.program.operators.rms import Rms
from bimetal.program.operators.taper import Taper
from bimetal.program.operators.window import Window
from bimetal.program.operators.zero_cross import ZeroCross
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.shrink.machine import machine_of
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_run import WasmTarget

SIZE = 256
AXES = 3
EDGES = (1, 8, 24, 64, 129)
BLOCK = 256
"""The law is fastest when its arrays stay in the cache."""


def features(draft: Draft, windows: Node, edges: tuple[int, ...] = EDGES) -> Node:
    """Eleven features of each axis of a window (SIZE, AXES), shape (AXES, 11)."""

    def of_axis(x: Node) -> Node:
        rest = Detrend().trace(draft, x)
        power = PowerSpectrum().trace(draft, Taper("hann").trace(draft, rest))
        bands = Log2().trace(draft, BandSum(edges).trace(draft, power))
        strength = Rms().trace(draft, rest)
        shape = (*Peak().trace(draft, rest), *Moments().trace(draft, rest))
        return Concat().trace(draft, strength, *shape, ZeroCross().trace(draft, rest), bands)

    return word.by_channel(windows, of_axis)


def whole() -> Program:
    """A program that is fed whole windows."""
    draft = Draft("features")
    draft.output("y", features(draft, draft.input("x", "f32", (SIZE, AXES))))
    return draft.finish()


def streaming(hop: int) -> Program:
    """A program that is fed reading by reading, with a window every `hop` of them."""
    draft = Draft(f"features_every_{hop}")
    draft.output("y", features(draft, Window(SIZE, hop).trace(draft, draft.input("x", "f32", (AXES,)))))
    return draft.finish()


def plain(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same features as one writes them with NumPy; windows (rows, SIZE, AXES)."""
    rest = x - x.mean(axis=1, keepdims=True)
    taper = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)).astype(np.float32)[:, None]
    power = 2 * np.abs(np.fft.rfft(rest * taper, axis=1) / SIZE) ** 2
    power[:, [0, -1]] /= 2
    bands = np.stack([power[:, a:b].sum(axis=1) for a, b in pairwise(EDGES)], axis=1)
    rms = np.sqrt(np.mean(rest * rest, axis=1))
    z = rest / rms[:, None]
    peak = np.abs(rest).max(axis=1)
    crossings = np.count_nonzero(np.diff(rest < 0, axis=1), axis=1)
    found = [
        rms,
        peak,
        np.ptp(rest, axis=1),
        peak / rms,
        np.mean(z**3, axis=1),
        np.mean(z**4, axis=1),
        crossings,
    ]
    parts = [np.stack(found, axis=1), np.log2(np.maximum(bands, 2.0**-40))]
    return np.concatenate(parts, axis=1).transpose(0, 2, 1).astype(np.float32)


def best_of(times: int, run: Callable[[], Any]) -> float:
    """The least seconds of processor a run took: what others do on the machine counts less so."""
    found: list[float] = []
    for _ in range(times):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def rows_of(program: Program, values: NDArray[np.float32]) -> NDArray[Any]:
    """Readings (devices, readings, ...) as rows of a program's input."""
    rows = np.zeros(values.shape[:2], NumpyTarget().load(program, pack(program, {})).layouts.input.dtype)
    rows["x"] = values
    return rows


def in_blocks(running: Any, states: NDArray[np.uint8], rows: NDArray[Any]) -> list[Any]:
    """Run devices in blocks on a target."""
    return [
        running.run_devices(states[k : k + BLOCK], rows[k : k + BLOCK]) for k in range(0, len(rows), BLOCK)
    ]


def states_of(program: Program, devices: int) -> NDArray[np.uint8]:
    """The first state of many devices."""
    return np.tile(np.frombuffer(initial_state(program), np.uint8), (devices, 1))


def measure(program: Program, values: NDArray[np.float32], windows: int) -> tuple[float, float]:
    """Nanoseconds a window on wasm and on the law, which give the same bits."""
    block, rows, states = pack(program, {}), rows_of(program, values), states_of(program, len(values))
    law, wasm = NumpyTarget().load(program, block), WasmTarget().load(program, block)
    few = slice(0, 32)
    for a, b in zip(
        law.run_devices(states[few], rows[few]), wasm.run_devices(states[few], rows[few]), strict=True
    ):
        assert a.tobytes() == b.tobytes(), "wasm does not give the law's bits"
    fast = best_of(3, lambda: wasm.run_devices(states, rows))
    slow = best_of(1, lambda: in_blocks(law, states, rows))
    return fast / windows * 1e9, slow / windows * 1e9


def main(devices: int) -> None:
    """Measure and print."""
    rng = np.random.default_rng(1)
    x = rng.normal(0.3, 1, (devices, SIZE, AXES)).astype(np.float32)
    program = whole()
    report = check(program)
    lowered = lower(program, report.ranges)
    print(
        f"{AXES * 11} features of {AXES} x {SIZE} readings: {report.letters} letters, {report.operations} "
        f"operations, {len(write_wasm(lowered).code)} bytes of wasm, {lowered.scratch_bytes} of scratch"
    )
    ours = (
        NumpyTarget().load(program, pack(program, {})).run(b"", rows_of(program, x[:8, None])[:, 0])[1]["y"]
    )
    np.testing.assert_allclose(ours, plain(x[:8]), rtol=2e-4, atol=2e-5)
    fast, law = measure(program, x[:, None], devices)
    usual = best_of(2, lambda: [plain(x[k : k + BLOCK]) for k in range(0, devices, BLOCK)]) / devices * 1e9
    print(f"{devices} devices, one window each: {said(fast, law)}")
    print(f"  plain NumPy {usual:,.0f} ({usual / fast:.0f} x)")
    few = max(1, devices // 16)
    x = rng.normal(0.3, 1, (few, 2 * SIZE, AXES)).astype(np.float32)
    for hop in (256, 64):
        figures = measure(streaming(hop), x, few * (SIZE // hop + 1))
        print(f"{few} devices fed reading by reading, a window every {hop}: {said(*figures)}")


def on_board(kind: str) -> None:
    """Print the instructions and the stack one window takes on a simulated board."""
    program = whole()
    x = np.random.default_rng(1).normal(0.3, 1, (4, SIZE, AXES)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(program, x[:, None])[:, 0]
        found = count(program, pack(program, {}), rows, machine_of(kind), Path(folder))
    print(f"{kind}: {found.instructions.max():,} instructions, {found.stack_bytes.max():,} bytes of stack")


def said(fast: float, law: float) -> str:
    """Figures in words."""
    return f"wasm {fast:,.0f} ns a window, the law {law:,.0f} ({law / fast:.0f} x)"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--board"]:
        on_board(sys.argv[2] if sys.argv[2:] else "cortex-m4")
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 4096)
