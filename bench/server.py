"""What scoring costs on a server, in ns a row of the default detector. Run: python bench/server.py.

For 1 to 38 signals: one device with many rows, many with some rows each, and with one each; the law, wasm one
device at a time, wasm with four in the lanes of a vector, and native code where there is a compiler. Each
figure is the least CPU time of several runs, for other work on the machine only adds. With --river, the
interpreter of an environment in which river is installed, its HalfSpaceTrees score and learn points too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bimetal.cli.shelf import LocalShelf
from bimetal.cli.toolbox import LocalTools
from bimetal.learn.detector import Design, detector_program
from bimetal.nouns import Batch, Event, Signal
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Program
from bimetal.stream.feed import feed_of
from bimetal.stream.scorer import DeviceState, Scorer
from bimetal.targets.native import NativeTarget
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget

SIGNALS = (1, 3, 5, 8, 38)
DEVICES = (1_000, 10_000, 100_000)
SOME = 64
"""Rows of a device that come at once, where states hardly count: an hour of minutes."""
ROWS = 20_000
LARGEST = 256 << 20
"""Bytes of state; more devices are left out."""
SLOW_ROWS = 2_000
"""Rows the law is timed with, over all devices."""

Run = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Any, Any]]

RIVER = """
import json, sys, time
from river.anomaly import HalfSpaceTrees
signals, rows = json.load(sys.stdin)
model = HalfSpaceTrees(seed=1)
points = [{f"x{k}": v for k, v in enumerate(row)} for row in rows]
best = float("inf")
for start in range(0, len(points), 500):
    part = points[start : start + 500]
    begin = time.process_time()
    for point in part:
        model.score_one(point)
        model.learn_one(point)
    best = min(best, (time.process_time() - begin) / len(part))
print(best * 1e9)
"""


def engines(program: Program, block: bytes) -> dict[str, Run]:
    """Return what runs devices, by name."""
    one, four = (WasmTarget().load(program, block) for _ in range(2))
    found: dict[str, Run] = {
        "numpy": NumpyTarget().load(program, block).run_devices,
        "wasm": one._one.run,  # the module without lanes, as it runs one device
        "wasm lanes": four.run_devices,
    }
    native = NativeTarget(LocalTools(), LocalShelf())
    if not native.present():
        found["native"] = native.load(program, block).run_devices
    return found


def readings(program: Program, devices: int, n: int) -> np.ndarray:
    """Return everyday readings, one in a thousand missing."""
    rng = np.random.default_rng(devices)
    rows = np.zeros((devices, n), layout_of(program).input.dtype)
    for place in program.inputs:
        values = rng.normal(size=(devices, n)).cumsum(axis=1) * 0.1 + rng.normal(size=(devices, n))
        rows[place.name] = np.where(rng.random((devices, n)) < 0.001, np.nan, values)
    return rows


def ns_a_row(run: Run, states: np.ndarray, rows: np.ndarray, seconds: float) -> float:
    """Return the least time of a row over some seconds; states go on from call to call."""
    best, begin = float("inf"), time.perf_counter()
    while True:
        start = time.process_time()
        states, _, _ = run(states, rows)
        best = min(best, time.process_time() - start)
        if time.perf_counter() - begin > seconds:
            return best / rows.size * 1e9


def measure(signals: int, seconds: float, tell: Callable[[str], None]) -> None:
    """Print the figures for one number of signals."""
    program, draft = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
    running = engines(program, pack(program, draft.values))
    start = np.frombuffer(initial_state(program), np.uint8)
    tell(f"\n{signals} signal{'s' * (signals > 1)}, {len(start)} bytes of state a device; ns a row")
    tell(f"{'':>24}" + "".join(f"{name:>12}" for name in running))
    for run in running.values():
        run(np.repeat(start[None], 8, axis=0), readings(program, 8, 1))  # what is compiled when first needed
    shapes = [(1, ROWS // signals), (DEVICES[0], SOME), *((d, 1) for d in DEVICES)]
    for devices, n in shapes:
        if devices * len(start) > LARGEST:
            continue
        line = f"{devices:>9} x {n:>6} rows   "
        for name, run in running.items():
            few = name == "numpy"
            shape = (min(devices, SLOW_ROWS), min(n, 100)) if few else (devices, n)
            states = np.repeat(start[None], shape[0], axis=0)
            line += f"{ns_a_row(run, states, readings(program, *shape), seconds):>12.0f}"
        tell(line)


def scorer(signals: int, devices: int, seconds: float) -> float:
    """Return ns a row through the scorer: batches with a row for each device, nothing to tell of any."""
    names = tuple(f"x{k}" for k in range(signals))
    program, draft = detector_program(Design(signals), names)
    running = WasmTarget().load(program, pack(program, draft.values | {"threshold": np.array(1e6)}))
    made = Scorer(program, feed_of(program, names), lambda _: running, _nothing)
    rng, every = np.random.default_rng(0), tuple(f"machine {k}" for k in range(devices))
    kinds, which = tuple(Signal(name) for name in names), np.arange(devices, dtype=np.int32)
    states: dict[str, DeviceState] = {}
    best, begin, t = float("inf"), time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        times = np.full(devices, t := t + 1, np.int64)
        batch = Batch(every, kinds, times, which, rng.normal(size=(devices, signals)))
        start = time.process_time()
        after, _ = made.advance(states, batch)
        best = min(best, time.process_time() - start)
        states |= after
    return best / devices * 1e9


def _nothing(*_: Any) -> Event:
    raise AssertionError("nothing was to be told")


def river(python: str, signals: int) -> float:
    """Return what river's HalfSpaceTrees take for a point, in ns: to score it, then to learn it."""
    rows = np.random.default_rng(0).normal(size=(4000, signals)).tolist()
    done = subprocess.run(
        [python, "-c", RIVER], input=json.dumps([signals, rows]), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print a table for each number of signals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--river", metavar="PYTHON", help="an interpreter with river, to compare with")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to try for each figure")
    asked = parser.parse_args()
    for signals in SIGNALS:
        measure(signals, asked.seconds, print)
        print(f"{'scorer, 10000 devices':>22}  {scorer(signals, 10_000, asked.seconds):>36.0f}")
        if asked.river:
            print(f"{'river HalfSpaceTrees':>22}  {river(asked.river, signals):>12.0f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
