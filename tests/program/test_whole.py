"""Logarithms and powers of two in whole numbers keep the error they name, over all they take."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bimetal.program import whole
from bimetal.program.block import pack
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyTarget


def computed(of: Callable[[Node], Node], x: np.ndarray) -> np.ndarray:
    """What a word gives for whole numbers, on the law."""
    draft = Draft("word")
    draft.output("y", of(draft.input("x", "i32", (1,))))
    program = draft.finish()
    check(program)
    running = NumpyTarget().load(program, pack(program, {}))
    rows = np.zeros(len(x), running.layouts.input.dtype)
    rows["x"][:, 0] = x
    return running.run(b"", rows)[1]["y"][:, 0]


def test_a_logarithm_is_within_one() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([np.arange(1, 5000), 2 ** np.arange(31), 2 ** rng.uniform(0, 31, 3000)]).astype(
        np.int32
    )
    assert np.abs(computed(whole.log2, x) - 256 * np.log2(x)).max() <= 1


def test_what_has_no_logarithm_counts_as_one() -> None:
    assert list(computed(whole.log2, np.array([0, -1, -(2**31)]))) == [0, 0, 0]


def test_a_power_is_within_a_hundredth_or_one() -> None:
    x = np.arange(-2048, 4 * 256 + 1)
    found, true = computed(lambda x: whole.exp2(x, 4), x), 256 * 2.0 ** (x / 256)
    assert (np.abs(found - true) <= np.maximum(1, true / 100)).all()


def test_a_power_that_is_out_of_bounds_is_clipped() -> None:
    assert list(computed(lambda x: whole.exp2(x, 4), np.array([-(2**31), 2**31 - 1]))) == [1, 4096]
