"""Operators put together: features of a vibration sensor at two rates, and a small convolutional net."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.features import AXES, SIZE, plain, streaming, whole
from bimetal.cli.toolbox import LocalTools
from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.node import Clock
from bimetal.program.operators.conv1d_int8 import Conv1dInt8
from bimetal.program.operators.conv2d_int8 import Conv2dInt8
from bimetal.program.operators.dense_int8 import DenseInt8
from bimetal.program.operators.depthwise_int8 import DepthwiseInt8
from bimetal.program.operators.pool import Pool
from bimetal.program.operators.quantise import Quantise
from bimetal.program.operators.window import Window
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.targets.agree import agree
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyRunning
from bimetal.targets.present import every_target
from bimetal.targets.vectors import make_vectors
from tests.program.operators.test_net import nested

RNG = np.random.default_rng(9)


def test_the_features_are_those_of_plain_numpy() -> None:
    x = RNG.normal(0.3, 1, (6, SIZE, AXES)).astype(np.float32)
    running = NumpyRunning(whole(), {})
    rows = np.zeros(6, running.layouts.input.dtype)
    rows["x"] = x
    np.testing.assert_allclose(running.run(b"", rows)[1]["y"], plain(x), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("hop", [256, 96])
def test_windows_of_a_stream_have_the_features_of_whole_windows(hop: int) -> None:
    """What is due fires and no more, and a ring gives what a window holds, in every bit."""
    x = RNG.normal(0.3, 1, (600, AXES)).astype(np.float32)
    program = streaming(hop)
    running, at_once = NumpyRunning(program, {}), NumpyRunning(whole(), {})
    rows = np.zeros(600, running.layouts.input.dtype)
    rows["x"] = x
    _, outputs, fired = running.run(initial_state(program), rows)
    ends = list(range(SIZE - 1, 600, hop))
    assert program.clocks[1] == Clock(hop, SIZE - 1)
    assert list(np.flatnonzero(fired & 2)) == ends
    windows = np.zeros(len(ends), at_once.layouts.input.dtype)
    windows["x"] = np.stack([x[t - SIZE + 1 : t + 1] for t in ends])
    assert outputs["y"][ends].tobytes() == at_once.run(b"", windows)[1]["y"].tobytes()


def net() -> tuple[Program, bytes]:
    """Three signals in windows of 32, as i8 through a separable convolution, a pool and a layer."""

    def weights(*shape: int) -> Any:
        return nested(RNG.integers(-60, 60, shape))

    def ends(outputs: int) -> tuple[Any, Any]:
        return nested(RNG.integers(-500, 500, outputs)), nested(RNG.integers(2000, 9000, outputs))

    draft = Draft("net")
    x = Window(32, 16).trace(draft, Quantise(1 / 16).trace(draft, draft.input("x", "f32", (3,))))
    x = Conv1dInt8(weights(8, 3, 3), *ends(8), stride=2, padding=1, positive=1, name="a").trace(draft, x)
    x = DepthwiseInt8(weights(1, 5, 8), *ends(8), padding=2, name="b").trace(draft, x)
    x = Conv1dInt8(weights(12, 1, 8), *ends(12), positive=1, name="c").trace(draft, x)
    x = letter.reshape(Pool(16, "mean").trace(draft, x), (12,))
    draft.output("y", DenseInt8(weights(4, 12), *ends(4)).trace(draft, x))
    program = draft.finish()
    return program, pack(program, draft.values)


@pytest.mark.parametrize("name", ["features", "net"])
def test_every_target_gives_the_same_bits(name: str) -> None:
    program, block = (streaming(64), b"") if name == "features" else net()
    block = block or pack(program, {})
    vectors = make_vectors(program, block, seed=3, rows=SIZE + 70, runs=6)
    assert len({out.tobytes() for run in vectors.runs for out in run.outputs["y"]}) > 6
    for found in agree(program, block, vectors, every_target(LocalTools())):
        assert found.equal == found.vectors, found.first_difference


def test_layers_make_no_copies_of_their_weights() -> None:
    """One patch and the sums are all a layer may take: i8 weights are read where they lie."""

    def scratch(operator: Conv2dInt8 | DepthwiseInt8, channels: int) -> int:
        draft = Draft("layer")
        draft.output("y", operator.trace(draft, draft.input("x", "i8", (9, 9, channels))))
        program = draft.finish()
        return lower(program, check(program).ranges).scratch_bytes

    zeros, ones = (0,) * 16, (1,) * 16
    kernel = nested(np.ones((16, 3, 3, 4), int))
    assert scratch(Conv2dInt8(kernel, zeros, ones), 4) <= 4 * 3 * 3 * 4 + 8
    assert scratch(DepthwiseInt8(nested(np.ones((3, 3, 16), int)), zeros, ones), 16) <= 8
