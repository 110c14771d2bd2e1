"""What the default detector would lose in whole numbers, stage by stage. Run: python bench/whole_detector.py.

What a stage remembers, or has learned, is rounded to so many bits after every reading, with the best steps
that there could be: each element its own, and room for so many times the largest it was in training. All else
stays in f32, so that an integer detector would lose this much at least. Trained on the first 40 % of a
machine's temperature (NAB) and on the anomaly-free recording of a water rig (SKAB), asked about the rest and
about sixteen recordings with faults. Needs BIMETAL_DATA.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bimetal.bundle.seal import read
from bimetal.cli import door
from bimetal.learn.card import card_of
from bimetal.learn.sense import run
from bimetal.program import letter, word
from bimetal.program.block import unpack
from bimetal.program.node import Node
from bimetal.program.program import Program, SetTo
from bimetal.targets.present import fastest

DATA = Path(os.environ.get("BIMETAL_DATA", Path.home() / ".cache" / "bimetal-data"))
NAB = DATA / "nab" / "data" / "realKnownCause" / "machine_temperature_system_failure.csv"
STAGES: Mapping[str, tuple[str, ...]] = {
    "moments": ("level", "power", "spread", "roughness"),
    "own distance": ("drift", "ratio", "mean_distance"),
    "joint distance": ("drift_2", "ratio_2", "mean_distance_2"),
    "gate": ("one", "two", "three", "before", "fast", "slow", "between", "apart", "rough", "stepped"),
}
WEIGHTS = ("own_whiten", "together_whiten")
BITS = (8, 12, 16, 20, 24)
ROOMS = (2, 64)
"""How many times the largest in training there is room for."""
Values = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Asked:
    """A detector with what it learned, readings it was trained on, and stretches it is asked about."""

    name: str
    program: Program
    values: Values
    inputs: tuple[str, ...]
    trained: NDArray[np.float64]
    rest: tuple[NDArray[np.float64], ...]


def learned(name: str, table: Path, rest: Sequence[Path] = ()) -> Asked:
    """Train on a table, or the first part of it where the rest is not said."""
    lines = table.read_text(encoding="utf-8").splitlines()
    cut = len(lines) if rest else 1 + int(0.4 * len(lines))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.csv").write_text("\n".join(lines[:cut]), encoding="utf-8")
        if door.run(["train", f"{folder}/t.csv", "-o", f"{folder}/m.bm"]):
            raise SystemExit(f"{name} cannot be trained on")
        bundle = read(Path(folder) / "m.bm").bundle
    signals = card_of(bundle.card).signals
    names = [s.name for s in signals]
    values = dict(unpack(bundle.program, bundle.blocks[""]))
    stretches = [columns(p.read_text(encoding="utf-8").splitlines(), names) for p in rest]
    whole = columns(lines[:cut], names)
    others = tuple(stretches) if rest else (columns([lines[0], *lines[cut:]], names),)
    return Asked(name, bundle.program, values, tuple(s.input for s in signals), whole, others)


def columns(lines: Sequence[str], names: Sequence[str]) -> NDArray[np.float64]:
    """Return the columns of a table."""
    rows = list(csv.DictReader(lines, delimiter=";" if ";" in lines[0] else ","))
    return np.array([[float(row[n]) for n in names] for row in rows])


def remembered(asked: Asked, states: Sequence[str]) -> Values:
    """Return the largest that each element of states was in training."""
    kept = tuple((s.state, s.value) for s in asked.program.sets if s.state in states)
    told = replace(asked.program, outputs=kept)
    most = {name: np.zeros(node.shape) for name, node in kept}
    for out in run(told, asked.values, asked.inputs, asked.trained, fastest()):
        for name in most:
            most[name] = np.fmax(most[name], np.nanmax(np.abs(out[name]), axis=0))
    return most


def rounding(program: Program, most: Values, bits: int, room: int) -> Program:
    """Return the program with what it remembers rounded to bits, at most `room` times what was seen."""
    last = 2 ** (bits - 1) - 1
    ends = {s.name: (s.low, s.high) for s in program.states}

    def whole(value: Node, greatest: NDArray[Any], low: float, high: float) -> Node:
        step = np.maximum(room * greatest / last, 1e-30).astype(np.float32)
        steps = word.rounded(letter.div(word.otherwise(value, 0.0), letter.const(step, "f32")), -last, last)
        return word.clip(letter.mul(letter.cast(steps, "f32"), letter.const(step, "f32")), low, high)

    def of(s: SetTo) -> SetTo:
        return replace(s, value=whole(s.value, most[s.state], *ends[s.state])) if s.state in most else s

    return replace(program, sets=tuple(of(s) for s in program.sets))


def scores(asked: Asked, program: Program, values: Values) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return scores and alarms of all stretches, one after the other."""
    found = [np.concatenate([o[["score", "alarm"]] for o in run(program, values, asked.inputs, x, fastest())])
             for x in asked.rest]  # fmt: skip
    whole = np.concatenate(found)
    return whole["score"], whole["alarm"].astype(bool)


def narrowed(values: Values, bits: int) -> Values:
    """Return the learned directions in whole numbers, each row with its own step."""
    last = 2 ** (bits - 1) - 1
    made = dict(values)
    for name in WEIGHTS:
        if name in values:
            step = np.maximum(np.abs(values[name]).max(axis=-1, keepdims=True) / last, 1e-30)
            made[name] = (np.round(values[name] / step) * step).astype(np.float32)
    return made


def compared(asked: Asked) -> Iterator[str]:
    """Lines: for each stage and width, what changes."""
    score, alarm = scores(asked, asked.program, asked.values)
    yield f"{asked.name}: {len(score):,} readings, {begun(alarm)} alarms in f32"
    widths = [(stage, states, room) for stage, states in STAGES.items() for room in ROOMS]
    for bits in BITS:
        for stage, states, room in widths:
            most = remembered(asked, states)
            if most:
                other = scores(asked, rounding(asked.program, most, bits, room), asked.values)
                yield line(f"{stage} x{room}", bits, (score, alarm), other)
        whole = scores(asked, asked.program, narrowed(asked.values, bits))
        yield line("directions", bits, (score, alarm), whole)


def begun(alarm: NDArray[np.bool_]) -> int:
    """Return how many alarms begin."""
    return int((alarm & ~np.roll(alarm, 1))[1:].sum() + alarm[0])


def line(
    stage: str, bits: int, one: tuple[NDArray[Any], NDArray[Any]], other: tuple[NDArray[Any], NDArray[Any]]
) -> str:
    """Return how far scores are apart, and what that does to alarms."""
    off = np.abs(other[0] - one[0]) / np.maximum(one[0], 0.1)
    far = f"score off by {np.median(off):8.2%} in the median, {np.quantile(off, 0.99):9.2%} in one of 100"
    changed = f"alarms {begun(other[1]):3d}, on or off otherwise {np.mean(other[1] != one[1]):6.2%}"
    return f"  {stage:19s}{bits:3d} bits  {far}  {changed}"


def main() -> None:
    """Learn, round, compare, print."""
    skab = DATA / "skab"
    valves = sorted((skab / "valve1").glob("*.csv"))
    usual = skab / "anomaly-free" / "anomaly-free.csv"
    for asked in (learned("temperature", NAB), learned("water rig", usual, valves)):
        for said in compared(asked):
            print(said, flush=True)


if __name__ == "__main__":
    main()
