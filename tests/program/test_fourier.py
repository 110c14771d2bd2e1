"""The Fourier words keep the error they name, at every size, for one channel or several."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program import fourier
from bimetal.program.operators.power_spectrum import PowerSpectrum
from bimetal.program.operators.rfft import Rfft
from bimetal.program.program import Draft
from tests.program.operators.answer import answer

SIZES = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 8192]


def transformed(x: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The transform of windows (windows, n, ...), along n."""
    re, im = answer(Rfft(), x)
    return re + 1j * im.astype(np.float64)


@pytest.mark.parametrize("size", SIZES)
def test_the_transform_is_within_its_bound(size: int) -> None:
    x = np.random.default_rng(size).normal(size=(5, size)).astype(np.float32)
    exact = np.fft.rfft(x.astype(np.float64), axis=1)
    bound = 1e-7 * np.log2(size) * np.sqrt(np.mean(np.abs(exact) ** 2))
    assert np.abs(transformed(x) - exact).max() <= bound


@pytest.mark.parametrize("size", SIZES)
def test_every_element_is_where_it_should_be(size: int) -> None:
    """A wave of k periods is seen at k and nowhere else; so is each single reading as all its waves."""
    rng = np.random.default_rng(1)
    waves = rng.integers(0, size // 2 + 1, 4)
    x = np.cos(2 * np.pi * np.outer(waves, np.arange(size)) / size + 0.3)
    single = np.eye(size)[rng.integers(0, size, 4)]
    for windows in (x, single):
        np.testing.assert_allclose(transformed(windows), np.fft.rfft(windows, axis=1), atol=2e-6 * size)


def test_channels_are_each_alone() -> None:
    x = np.random.default_rng(3).normal(size=(2, 64, 3)).astype(np.float32)
    together = transformed(x)
    for k in range(3):
        assert (together[:, :, k] == transformed(x[:, :, k])).all()


@pytest.mark.parametrize("size", SIZES)
def test_the_powers_add_up_to_the_mean_square(size: int) -> None:
    x = np.random.default_rng(size).normal(size=(3, size)).astype(np.float32)
    (power,) = answer(PowerSpectrum(), x)
    np.testing.assert_allclose(
        power.sum(axis=1, dtype=np.float64), np.mean(x.astype(float) ** 2, axis=1), 2e-6
    )
    twice = np.where(np.isin(np.arange(size // 2 + 1), [0, size // 2]), 1, 2)
    exact = twice * np.abs(np.fft.rfft(x.astype(np.float64), axis=1) / size) ** 2
    np.testing.assert_allclose(power, exact, atol=1e-6 * exact.max(), rtol=1e-5)


@pytest.mark.parametrize("shape", [(), (2,), (3,), (12,), (16384,)])
def test_other_lengths_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadProgram, match="power of two"):
        fourier.rfft(Draft().input("x", "f32", shape))


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(BadProgram, match="power of two"):
        fourier.power(Draft().input("x", "i32", (8,)))
