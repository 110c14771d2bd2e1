"""Given: real tables for foreign models to learn from, and what programs say about them."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.cli.toolbox import LocalTools
from bimetal.learn.imports.bring import Brought
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.targets.c99_run import C99Target
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.target import Target
from bimetal.targets.wasm_run import WasmTarget

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads that wait for each other are slow beside other tests

Find = Callable[..., Path]
MACHINE = (
    "Air temperature [K]",
    "Process temperature [K]",
    "Rotational speed [rpm]",
    "Torque [Nm]",
    "Tool wear [min]",
)
ROOM = ("Temperature", "Humidity", "Light", "CO2", "HumidityRatio")
WASM = WasmTarget()
TRAINED = 6000
TIE = 2.0**-20
NASTY = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-38, 1e38, -3.4e38, 3.4028235e38], np.float32)


@dataclass(frozen=True)
class Table:
    """Columns of f32 values held in f64, two classes, three classes, and a quantity."""

    names: tuple[str, ...]
    x: NDArray[np.float64]
    two: NDArray[np.int64]
    three: NDArray[np.str_]
    much: NDArray[np.float64]

    def with_gaps(self, part: float = 0.05) -> NDArray[np.float64]:
        """The columns with some values missing."""
        holes = np.random.default_rng(7).random(self.x.shape) < part
        return np.where(holes, np.nan, self.x)


def machines(data: Find) -> Table:
    """Ten thousand rows of milling machines (AI4I 2020), which failed or not."""
    with data("ai4i2020", "ai4i2020.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    x = np.array([[float(r[c]) for c in MACHINE] for r in rows], np.float32).astype(np.float64)
    failed = np.array([int(r["Machine failure"]) for r in rows])
    loads = np.array(["light", "medium", "heavy"])[np.digitize(x[:, 3] * x[:, 2], [50000, 65000])]
    return Table(MACHINE, x, failed, loads, x[:, 3] * x[:, 2] / 1000)


def rooms(data: Find) -> Table:
    """Eight thousand minutes of an office, with people in it or not."""
    with data("occupancy", "datatraining.txt").open() as file:
        rows = [line.strip().split(",") for line in file][1:]
    x = np.array([[float(v) for v in r[2:7]] for r in rows], np.float32).astype(np.float64)
    hours = np.array([int(r[1].split(" ")[1][:2]) for r in rows])
    days = np.array(["night", "morning", "evening"])[np.digitize(hours, [6, 14])]
    return Table(ROOM, x, np.array([int(r[-1]) for r in rows]), days, x[:, 3] / 100)


def connections(data: Find) -> Table:
    """Twenty-five thousand network connections (NSL-KDD), attacks or not, and their kind by protocol."""
    with data("nsl_kdd", "KDDTrain+_20Percent.txt").open() as file:
        rows = [line.strip().split(",") for line in file]
    kept = [k for k in range(41) if k not in (1, 2, 3)]
    x = np.array([[float(r[k]) for k in kept] for r in rows], np.float32).astype(np.float64)
    attack = np.array([int(r[41] != "normal") for r in rows])
    return Table(tuple(f"c{k}" for k in kept), x, attack, np.array([r[1] for r in rows]), np.log1p(x[:, 1]))


def rows_of(brought: Brought, x: NDArray[Any]) -> NDArray[Any]:
    """Rows of a program's input struct."""
    inputs = brought.program.inputs
    rows = np.zeros(len(x), layout_of(brought.program).input.dtype)
    for k, place in enumerate(inputs):
        rows[place.name] = x if place.shape else x[:, k]
    return rows


def answers(brought: Brought, x: NDArray[Any], target: Target = WASM) -> NDArray[Any]:
    """What a program says about every row, each a device of its own."""
    running: Any = target.load(brought.program, pack(brought.program, brought.values))
    state = np.frombuffer(initial_state(brought.program), np.uint8)
    _, outputs, _ = running.run_devices(np.tile(state, (len(x), 1)), rows_of(brought, x)[:, None])
    return outputs[:, 0]


def labels(brought: Brought, x: NDArray[Any]) -> NDArray[Any]:
    """The classes a program gives, by name."""
    return np.array(brought.labels)[answers(brought, x)["label"]]


def differing(brought: Brought, model: Any, x: NDArray[Any]) -> int:
    """For how many rows a program names another class than the model.

    Rows whose two best scores the model itself holds within TIE of each other are not counted.
    """
    other = labels(brought, x) != np.array([str(c) for c in model.predict(x)])
    if other.any() and hasattr(model, "predict_proba"):
        best = np.sort(model.predict_proba(x[other]), axis=1)
        return int((best[:, -1] - best[:, -2] > TIE).sum())
    return int(other.sum())


def farthest(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """The greatest difference, relative to the greatest expected value or 1."""
    expected = np.asarray(expected, np.float64).reshape(found.shape)
    return float(np.abs(found - expected).max() / max(1.0, float(np.abs(expected).max())))


def targets_that_differ(brought: Brought, x: NDArray[Any]) -> list[str]:
    """The targets whose outputs are not the law's, bit for bit, on everyday and on nasty rows."""
    rng = np.random.default_rng(3)
    nasty = rng.choice(NASTY, x[:40].shape)
    everyday = np.asarray(x[:40], np.float32)
    mixed = np.where(rng.random(nasty.shape) < 0.5, nasty, everyday)
    octets = brought.program.inputs[0].dtype == "u8"
    rows = rows_of(brought, x[:60] if octets else np.concatenate([everyday, mixed, nasty]))
    block, start = pack(brought.program, brought.values), initial_state(brought.program)
    law = NumpyTarget().load(brought.program, block).run(start, rows)
    others: Sequence[Target] = (WASM, C99Target(LocalTools()))
    found: list[str] = []
    for target in others:
        if not target.present():
            state, outputs, _ = target.load(brought.program, block).run(start, rows)
            found += [target.name] if (state, outputs.tobytes()) != (law[0], law[1].tobytes()) else []
    return found
