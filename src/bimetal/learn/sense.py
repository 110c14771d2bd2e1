"""Sense: runs a program over a history, whole or its front part, on whatever target is the fastest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.detector import Design, gate_program, sensing_program
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.target import Target

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Values = dict[str, Any]

CHUNK_BYTES = 32_000_000
MOST_FEATURES = 48_000_000
MOST_ROWS = 30_000
"""So much is kept of what is sensed; of a longer history every k-th row, for neighbours say much the same:
the shortest average looks back over eight of them."""


@dataclass(frozen=True, slots=True)
class Sensed:
    """Features (n, s, f) and bands (n, b, s) of one stretch, the warm-up left out."""

    features: Rows
    bands: Rows

    def part(self, first: float, last: float) -> Sensed:
        """Return this part, 0..1, of the stretch: two rows of it at the least."""
        rows = slice(int(len(self.features) * first), max(int(len(self.features) * last), 2))
        return Sensed(self.features[rows], self.bands[rows])


def sense(
    design: Design,
    names: Sequence[str],
    stretches: Sequence[tuple[Values, Floats]],
    target: Target,
) -> list[Sensed]:
    """Run the front part of the detector over stretches, each with its device's parameters."""
    program, draft = sensing_program(design, names)
    each = design.signals * (design.own_features + design.bands)
    rows = sum(len(v) for _, v in stretches)
    keep = max(1, rows // MOST_ROWS, -(-rows * each // MOST_FEATURES))
    found: list[Sensed] = []
    for usual, values in stretches:
        learned = {name: usual.get(name, start) for name, start in draft.values.items()}
        features: list[Rows] = [np.zeros((0, design.signals, design.own_features), np.float32)]
        bands: list[Rows] = [np.zeros((0, design.bands, design.signals), np.float32)]
        seen = 0
        for out in run(program, learned, names, values, target):
            skip = max(min(design.warm_up, len(values) // 2) - seen, 0)
            kept = out[skip::keep]
            features.append(kept["features"].copy())
            bands.append(kept["bands"].copy())
            seen += len(out)
        found.append(Sensed(np.concatenate(features), np.concatenate(bands)))
    return found


def figures_of(
    design: Design,
    names: Sequence[str],
    stretches: Sequence[tuple[Values, Floats]],
    target: Target,
) -> tuple[Rows, Rows]:
    """Return the gate's figures (n, 5, s) and standardised readings (n, s) of stretches, one after another.

    Of a long history every k-th row is kept.
    """
    program, draft = gate_program(design, names)
    keep = max(1, sum(len(v) for _, v in stretches) * design.signals * 6 // MOST_FEATURES)
    figures: list[Rows] = [np.zeros((0, 5, design.signals), np.float32)]
    z: list[Rows] = [np.zeros((0, design.signals), np.float32)]
    for usual, values in stretches:
        learned = {name: usual.get(name, start) for name, start in draft.values.items()}
        for out in run(program, learned, names, values, target):
            figures.append(out["figures"][::keep].copy())
            z.append(out["z"][::keep].copy())
    return np.concatenate(figures), np.concatenate(z)


def run(
    program: Program, learned: Mapping[str, Any], names: Sequence[str], values: Floats, target: Target
) -> Iterator[NDArray[Any]]:
    """Yield the outputs for readings (n, s) of one device, in parts of bounded size."""
    running = target.load(program, pack(program, learned))
    layouts = layout_of(program)
    few = max(64, CHUNK_BYTES // (layouts.input.size + layouts.output.size))
    state = initial_state(program)
    for start in range(0, len(values), few):
        rows = rows_of(program, names, values[start : start + few])
        state, out, _ = running.run(state, rows)
        yield out


def rows_of(program: Program, names: Sequence[str], values: Floats) -> NDArray[Any]:
    """Return readings (n, s) as the rows a program takes."""
    rows = np.zeros(len(values), layout_of(program).input.dtype)
    with np.errstate(over="ignore"):
        for k, name in enumerate(names):
            rows[name] = values[:, k]
    return rows
