"""The law: a program run letter by letter on NumPy; every other target answers to it.

It never uses the lowering. Devices are a leading axis (of length 1 for what all of them share).

Where a letter leaves room, this is what it means:

* f32 `reduce` starts from the first element and goes on to the right, one rounding each; `min` and
  `max` fold `acc = f(acc, element)` with the letters' own meaning, so a NaN first element stays.
* a b1 byte in an input, a parameter or a state that is not 0 reads as true.
* f32 NaN is written to state and output as 0x7fc00000, whatever its sign and payload were.
* the states a stage reads are those before the stage; its `set`s are written when all are computed.
* an output of a stage that did not fire is zero bytes; an output that needs no clock is put out at
  every reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program.block import unpack
from bimetal.program.layout import Layout, Layouts, layout_of, wait_of
from bimetal.program.node import EVERY, Clock, Node, walk
from bimetal.program.program import Program, SetTo
from bimetal.program.scope import scope_of
from bimetal.targets.numpy_letter import Array, Steps, loaded, plan, stored


class NumpyTarget:
    """NumPy, always there: the law."""

    name = "numpy"

    def present(self) -> str:
        """Return "": it runs wherever bimetal does."""
        return ""

    def load(self, program: Program, block: bytes) -> NumpyRunning:
        """Make a program ready with its parameter block; raises BadInput when the block does not fit."""
        return NumpyRunning(program, unpack(program, block))


@dataclass(frozen=True, slots=True)
class Stage:
    """What one clock does: the steps in order, what is written after them, what is put out."""

    clock: Clock
    bit: int
    steps: Steps
    sets: tuple[SetTo, ...]
    outputs: tuple[tuple[str, Node], ...]


class NumpyRunning:
    """A program with its parameters, ready to run; it keeps no state of its own."""

    def __init__(self, program: Program, values: Mapping[str, NDArray[Any]]) -> None:
        self.program = program
        self.layouts: Layouts = layout_of(program)
        fixed = {p.name: loaded(np.asarray(values[p.name])[None], p.dtype) for p in program.params}
        with np.errstate(all="ignore"):
            steps, self._fixed = plan(scope_of(program.roots()), fixed)
        self._stages = tuple(_stage(program, k, clock, steps) for k, clock in enumerate(program.clocks))

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
        layout = self.layouts
        rows = layout.input.conformed(rows)
        if rows.ndim != 2 or states.shape != (len(rows), layout.state.size):
            raise BadInput(
                f"states {states.shape} and rows {rows.shape} do not fit a program with "
                f"{layout.state.size} state bytes"
            )
        after = np.array(states, np.uint8, order="C")
        state = _fields(after, layout.state)
        outputs = np.zeros(rows.shape, layout.output.dtype)
        fired = np.zeros(rows.shape, np.uint32)
        with np.errstate(all="ignore"):
            for t in range(rows.shape[1]):
                for stage in self._stages:
                    lanes = _due(stage.clock, state, len(rows))
                    if len(lanes):
                        fired[lanes, t] |= np.uint32(1 << stage.bit)
                        self._fire(stage, lanes, state, rows[lanes, t], outputs[:, t])
        return after, outputs, fired

    def _fire(
        self,
        stage: Stage,
        lanes: NDArray[np.intp],
        state: dict[str, Array],
        rows: NDArray[Any],
        outputs: NDArray[Any],
    ) -> None:
        values = dict(self._fixed)
        for node, step in stage.steps:
            if node.op == "input":
                values[node] = loaded(rows[node.name], node.dtype)
            elif node.op == "state":
                values[node] = loaded(state[node.name][lanes], node.dtype)
            else:
                values[node] = step(values)
        for name, node in stage.outputs:
            outputs[name][lanes] = stored(values[node])
        for s in stage.sets:
            new = stored(values[s.value])
            if s.at is None:
                state[s.state][lanes] = new
            else:
                state[s.state][lanes, values[s.at]] = new


def _fields(states: NDArray[np.uint8], layout: Layout) -> dict[str, Array]:
    """Return every field of the states as an array (D, ...) that writes through."""
    if not layout.size:
        return {}
    struct = states.view(layout.dtype)[:, 0]
    return {f.name: struct[f.name] for f in layout.fields}


def _due(clock: Clock, state: dict[str, Array], devices: int) -> NDArray[np.intp]:
    """Return the devices a clock fires at, and count down to its next firing."""
    if clock == EVERY:
        return np.arange(devices)
    wait = state[wait_of(clock)]
    now = wait == 0
    wait[...] = np.where(now, clock.period - 1, wait - 1)
    return np.flatnonzero(now)


def _stage(program: Program, bit: int, clock: Clock, steps: Steps) -> Stage:
    owner = {s.name: s.clock for s in program.states}
    needed = set(walk(program.roots(clock)))
    return Stage(
        clock,
        bit,
        tuple((node, step) for node, step in steps if node in needed),
        tuple(s for s in program.sets if owner[s.state] == clock),
        tuple((name, n) for name, n in program.outputs if (n.clock or EVERY) == clock),
    )
