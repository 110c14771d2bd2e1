"""The drift test: silent for long while nothing has changed, quick when it has, and taken back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.drift_test import ONE_IN, DriftTest
from bimetal.targets.wasm_run import WasmTarget

BLOCK, PATIENCE = 8, 200.0


def said(reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What it says after each block, of which these reach the level at some reading."""
    rng = np.random.default_rng(5)
    score = 0.99 * rng.random((len(reached), BLOCK))
    score[np.arange(len(reached)), rng.integers(0, BLOCK, len(reached))] += reached
    program, values = wire(DriftTest(BLOCK, 1.0, PATIENCE), (score.ravel(),))
    rows = np.zeros(score.size, layout_of(program).input.dtype)
    rows["x0"] = score.ravel()
    running = WasmTarget().load(program, pack(program, values))
    _, outputs, fired = running.run(initial_state(program), rows)
    bit = [node.clock for _, node in program.outputs]
    there = (fired >> np.uint32(program.clocks.index(bit[0]))) & 1 != 0
    assert there.sum() == len(reached)
    return outputs["y0"][there] != 0


def test_without_a_change_it_speaks_no_sooner_than_promised() -> None:
    rng = np.random.default_rng(0)
    runs = rng.random((300, 1500)) < 1 / ONE_IN
    first = [np.flatnonzero(np.append(said(run), True))[0] for run in runs[:60]]
    # A run that was cut short counts as its length: the mean is too low, if anything.
    assert np.mean(first) > PATIENCE


def test_a_change_is_noticed_within_a_few_blocks_and_taken_back() -> None:
    reached = np.random.default_rng(1).random(300) < 1 / ONE_IN
    reached[100:140] = True
    drift = said(reached)
    first = int(np.flatnonzero(drift)[0])
    assert 100 <= first <= 105
    assert drift[first:140].all()
    assert not drift[160:200].any()


def test_a_smaller_change_takes_longer_but_is_noticed() -> None:
    rng = np.random.default_rng(2)
    reached = np.concatenate([rng.random(50) < 0.1, rng.random(150) < 0.4])
    assert said(reached)[50:].any()
