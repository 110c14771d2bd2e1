"""Layers of nets are what plain loops over whole numbers make of them, and a recurrent cell its formula."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.operators.conv1d_int8 import Conv1dInt8
from bimetal.program.operators.conv2d_int8 import Conv2dInt8
from bimetal.program.operators.depthwise_int8 import DepthwiseInt8
from bimetal.program.operators.gru_cell import GruCell
from bimetal.program.operators.pool import Pool
from bimetal.program.operators.reconstruction_error import ReconstructionError
from bimetal.program.operators.softmax import Softmax
from tests.program.operators.answer import answer

RNG = np.random.default_rng(3)
SHIFT = 20


def nested(array: NDArray[Any]) -> Any:
    """An array as tuples of whole numbers."""
    return tuple(map(nested, array)) if array.ndim else int(array)


def bytes_of(*shape: int) -> NDArray[np.int8]:
    """Random i8."""
    return RNG.integers(-128, 128, shape).astype(np.int8)


def weights_of(*shape: int) -> NDArray[np.int64]:
    """Random weights within -127..127."""
    return RNG.integers(-127, 128, shape)


def layer(outputs: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random biases and multipliers, so that results fill an i8."""
    return RNG.integers(-20000, 20000, outputs), RNG.integers(500, 4000, outputs)


def scaled(sums: NDArray[np.int64], multiplier: NDArray[np.int64], positive: int) -> NDArray[np.int64]:
    """The exact end of a layer: rounded, and kept within i8."""
    return np.clip((sums * multiplier + (1 << (SHIFT - 1))) >> SHIFT, -127 * (1 - positive), 127)


def patches(x: NDArray[Any], kernel: tuple[int, int], stride: int, padding: int) -> NDArray[np.int64]:
    """Every patch of a picture (h, w, c): (rows, columns, kernel rows, kernel columns, c)."""
    wide = np.pad(x.astype(np.int64), ((padding,) * 2, (padding,) * 2, (0, 0)))
    all_of = np.lib.stride_tricks.sliding_window_view(wide, kernel, axis=(0, 1))
    return np.moveaxis(all_of[::stride, ::stride], 2, -1)


@pytest.mark.parametrize(("stride", "padding", "positive"), list(product((1, 2, 3), (0, 1), (0, 1))))
def test_convolutions_over_pictures(stride: int, padding: int, positive: int) -> None:
    x, w = bytes_of(2, 7, 6, 3), weights_of(4, 3, 2, 3)
    bias, multiplier = layer(4)
    made = Conv2dInt8(nested(w), nested(bias), nested(multiplier), stride, padding, SHIFT, positive)
    sums = [np.einsum("rqhwc,fhwc->rqf", patches(one, (3, 2), stride, padding), w) + bias for one in x]
    expected = scaled(np.stack(sums), multiplier, positive)
    assert len(np.unique(expected)) > 10
    assert (answer(made, x)[0] == expected).all()


@pytest.mark.parametrize(("stride", "padding"), list(product((1, 2), (0, 2))))
def test_convolutions_along_time(stride: int, padding: int) -> None:
    x, w = bytes_of(2, 20, 3), weights_of(5, 4, 3)
    bias, multiplier = layer(5)
    made = Conv1dInt8(nested(w), nested(bias), nested(multiplier), stride, padding, SHIFT)
    wide = np.pad(x.astype(np.int64), ((0, 0), (padding, padding), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, 4, axis=1)[:, ::stride]
    expected = scaled(np.einsum("npck,fkc->npf", windows, w) + bias, multiplier, 0)
    assert (answer(made, x)[0] == expected).all()


@pytest.mark.parametrize(("stride", "padding"), list(product((1, 2), (0, 1))))
def test_channels_apart(stride: int, padding: int) -> None:
    x, w = bytes_of(2, 6, 7, 3), weights_of(3, 3, 3)
    bias, multiplier = layer(3)
    made = DepthwiseInt8(nested(w), nested(bias), nested(multiplier * 8), stride, padding, SHIFT)
    sums = [np.einsum("rqhwc,hwc->rqc", patches(one, (3, 3), stride, padding), w) + bias for one in x]
    assert (answer(made, x)[0] == scaled(np.stack(sums), multiplier * 8, 0)).all()


def test_channels_apart_along_time() -> None:
    x, w = bytes_of(2, 9, 4), weights_of(1, 3, 4)
    bias, multiplier = layer(4)
    made = DepthwiseInt8(nested(w), nested(bias), nested(multiplier), 1, 1, SHIFT)
    wide = np.pad(x.astype(np.int64), ((0, 0), (1, 1), (0, 0)))
    sums = np.einsum("npck,kc->npc", np.lib.stride_tricks.sliding_window_view(wide, 3, axis=1), w[0]) + bias
    assert (answer(made, x)[0] == scaled(sums, multiplier, 0)).all()


def test_the_worst_sums_do_not_overflow() -> None:
    """All weights, all inputs and the bias at their ends: the sum is exact."""
    x = np.full((1, 9, 9, 64), -128, np.int8)
    made = Conv2dInt8(nested(np.full((1, 9, 9, 64), -127)), (2**28,), (500,), shift=31)
    total = 9 * 9 * 64 * 127 * 128 + 2**28
    assert answer(made, x)[0][0, 0, 0, 0] == (total * 500 + (1 << 30)) >> 31 == 82


@pytest.mark.parametrize("how", ["greatest", "mean"])
@pytest.mark.parametrize("dtype", ["i8", "f32"])
@pytest.mark.parametrize("shape", [(10, 3), (7, 6, 2)])
def test_pools(how: str, dtype: str, shape: tuple[int, ...]) -> None:
    x = bytes_of(2, *shape)
    values = x if dtype == "i8" else x / np.float32(8)
    whole = values[(slice(None), *(slice(0, n // 3 * 3) for n in shape[:-1]))]
    cut = [2, *(part for n in shape[:-1] for part in (n // 3, 3)), shape[-1]]
    axes = tuple(range(2, len(cut) - 1, 2))
    blocks = whole.reshape(cut).astype(np.float64)
    expected = blocks.max(axis=axes) if how == "greatest" else blocks.mean(axis=axes)
    if dtype == "i8":
        expected = np.floor(expected + 0.5 + 1e-9)
    np.testing.assert_allclose(answer(Pool(3, how), values)[0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("operator", "shape"),
    [
        (Conv1dInt8(), (5,)),
        (Conv1dInt8((((1, 1),),)), (5, 1)),
        (Conv1dInt8((((1,),) * 6,)), (5, 1)),
        (Conv2dInt8(), (5, 1)),
        (DepthwiseInt8((((1,),), ((1,),))), (5, 1)),
        (DepthwiseInt8((((1, 1),),)), (5, 1)),
        (Pool(6), (5, 1)),
        (Pool(2, "median"), (5, 1)),
        (Pool(2), (5,)),
    ],
)
def test_what_does_not_fit_is_refused(operator: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(BadProgram):
        answer(operator, np.zeros((1, *shape), np.int8))


def test_a_recurrent_cell_is_its_formula() -> None:
    d, h = 3, 5
    w, u = RNG.normal(0, 0.7, (3 * h, d)), RNG.normal(0, 0.7, (3 * h, h))
    b, c = RNG.normal(0, 0.3, (2, 3 * h))
    x = RNG.normal(size=(30, d)).astype(np.float32)
    memory, expected = np.zeros(h), []
    for row in x.astype(np.float64):
        given, kept = np.split(w @ row + b, 3), np.split(u @ memory + c, 3)
        reset, update = (1 / (1 + np.exp(-(given[k] + kept[k]))) for k in range(2))
        candidate = np.tanh(given[2] + reset * kept[2])
        memory = (1 - update) * candidate + update * memory
        expected.append(memory)

    def rows(matrix: NDArray[Any]) -> Any:
        return tuple(map(tuple, matrix.tolist()))

    made = GruCell(rows(w), rows(u), tuple(b.tolist()), tuple(c.tolist()))
    assert np.abs(answer(made, x)[0] - np.array(expected)).max() < 2e-6
    with pytest.raises(BadProgram, match="three rows"):
        answer(GruCell(rows(w[:-1]), rows(u), tuple(b.tolist()), tuple(c.tolist())), x)


def test_shares_of_an_error_and_of_scores() -> None:
    x, again = RNG.normal(size=(2, 9, 6)).astype(np.float32)
    error, shares = answer(ReconstructionError(), x, again)
    squares = (x.astype(np.float64) - again) ** 2
    np.testing.assert_allclose(error, squares.mean(axis=1), 1e-6)
    np.testing.assert_allclose(shares, squares / squares.sum(axis=1, keepdims=True), atol=5e-6)
    raised = np.exp(x.astype(np.float64))
    np.testing.assert_allclose(answer(Softmax(), x)[0], raised / raised.sum(axis=1, keepdims=True), atol=1e-6)
    for operator, signals in ((ReconstructionError(), (x, x[:, :5])), (Softmax(), (x[:, 0],))):
        with pytest.raises(BadProgram):
            answer(operator, *signals)
