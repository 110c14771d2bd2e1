"""Elementary functions keep the errors they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.program import elementary
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyRunning

RNG = np.random.default_rng(7)
POSITIVE = RNG.integers(0x00800000, 0x7F7FFFFF, 200_000).astype(np.uint32).view(np.float32)
NEAR_ONE = (1 + np.clip(RNG.normal(0, 0.2, 100_000), -0.9, 3)).astype(np.float32)
EXPONENTS = RNG.uniform(-87, 88, 200_000).astype(np.float32)
ANYWHERE = np.concatenate([RNG.normal(0, s, 60_000) for s in (0.01, 1, 5, 40)]).astype(np.float32)


def computed(function: Callable[[Node], Node], x: NDArray[Any]) -> NDArray[np.float64]:
    """A word's values for many arguments at once: one device for each."""
    draft = Draft("function")
    draft.output("y", function(draft.input("x")))
    program = draft.finish()
    report = check(program)
    assert not report.ranges[dict(program.outputs)["y"]].nan
    running = NumpyRunning(program, {})
    rows = np.zeros((len(x), 1), running.layouts.input.dtype)
    rows["x"][:, 0] = x
    return running.run_devices(np.zeros((len(x), 0), np.uint8), rows)[1]["y"][:, 0].astype(np.float64)


@pytest.mark.parametrize("x", [POSITIVE, NEAR_ONE], ids=["positive", "near one"])
@pytest.mark.parametrize(
    ("function", "truth", "relative"),
    [(elementary.log2, np.log2, 1.5e-7), (elementary.log, np.log, 2e-7)],
    ids=["log2", "log"],
)
def test_logarithms(function: Any, truth: Any, relative: float, x: NDArray[np.float32]) -> None:
    expected = truth(x.astype(np.float64))
    error = np.abs(computed(function, x) - expected)
    large = np.abs(expected) >= 1
    assert (error[large] <= relative * np.abs(expected[large])).all()
    assert (error[~large] <= 1.3e-7).all()


def test_exponential() -> None:
    expected = np.exp(EXPONENTS.astype(np.float64))
    assert (np.abs(computed(elementary.exp, EXPONENTS) / expected - 1) <= 2e-7).all()


def test_sigmoid_and_tanh() -> None:
    x = ANYWHERE.astype(np.float64)
    assert (np.abs(computed(elementary.sigmoid, ANYWHERE) - 1 / (1 + np.exp(-x))) <= 1.5e-7).all()
    assert (np.abs(computed(elementary.tanh, ANYWHERE) - np.tanh(x)) <= 2e-7).all()


def test_exact_where_it_should_be() -> None:
    powers = np.array([2.0**k for k in range(-126, 128)], np.float32)
    assert list(computed(elementary.log2, powers)) == list(range(-126, 128))
    assert list(computed(elementary.exp, np.zeros(1, np.float32))) == [1]
    assert list(computed(elementary.sigmoid, np.zeros(1, np.float32))) == [0.5]
    assert list(computed(elementary.tanh, np.array([0, 50, -50], np.float32))) == [0, 1, -1]


def test_odd_arguments_give_the_ends() -> None:
    odd = np.array([np.nan, 0, -1, -np.inf, 1e-45, np.inf], np.float32)
    assert list(computed(elementary.log2, odd)) == [-126] * 5 + [128]
    values = computed(elementary.exp, np.array([np.nan, -np.inf, np.inf, 1000], np.float32))
    assert values[0] == values[1] == pytest.approx(np.exp(-87.0), rel=1e-6)
    assert values[2] == values[3] == pytest.approx(np.exp(88.0), rel=1e-6)


def test_they_never_fall_where_they_should_rise() -> None:
    x = np.sort(EXPONENTS[:20_000])
    assert (np.diff(computed(elementary.exp, x)) >= -1e-7 * np.exp(x[1:].astype(np.float64))).all()
