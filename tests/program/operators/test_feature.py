"""Features of windows are what NumPy makes of them in double precision, within stated bounds."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.operators.autocorrelation import Autocorrelation
from bimetal.program.operators.band_sum import BandSum
from bimetal.program.operators.detrend import Detrend
from bimetal.program.operators.goertzel import Goertzel
from bimetal.program.operators.histogram import Histogram
from bimetal.program.operators.log2 import Log2
from bimetal.program.operators.mean import Mean
from bimetal.program.operators.mel_bands import MelBands
from bimetal.program.operators.moments import Moments
from bimetal.program.operators.peak import Peak
from bimetal.program.operators.power_spectrum import PowerSpectrum
from bimetal.program.operators.rms import Rms
from bimetal.program.operators.sum import Sum
from bimetal.program.operators.taper import Taper
from bimetal.program.operators.zero_cross import ZeroCross
from tests.program.operators.answer import answer

RNG = np.random.default_rng(11)
X = RNG.normal(0.5, 2, (20, 128, 2)).astype(np.float32)
SCALES = (1e-12, 1.0, 1e6)
"""Units differ: a feature must not vanish because a signal is in metres a second squared."""
PLACE = np.arange(128)


def close(found: NDArray[Any], expected: Any, bound: float) -> None:
    """Within a bound relative to the largest of what is expected."""
    expected = np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= bound * np.abs(expected).max()


@pytest.mark.parametrize("scale", SCALES)
def test_sizes(scale: float) -> None:
    x = (X * np.float32(scale)).astype(np.float32)
    wide = x.astype(np.float64)
    close(answer(Sum(), x)[0], wide.sum(axis=1), 2e-6)
    close(answer(Mean(), x)[0], wide.mean(axis=1), 2e-6)
    close(answer(Rms(), x)[0], np.sqrt(np.mean(wide**2, axis=1)), 2e-6)
    peak, span, crest = answer(Peak(), x)
    assert (peak == np.abs(x).max(axis=1)).all()
    close(span, np.ptp(wide, axis=1), 1e-7)
    close(crest, np.abs(wide).max(axis=1) / np.sqrt(np.mean(wide**2, axis=1)), 2e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_shape_of_the_distribution(scale: float, offset: float) -> None:
    x = ((X + np.float32(offset)) ** 2 * np.float32(scale)).astype(np.float32)
    wide = x.astype(np.float64)
    z = (wide - wide.mean(axis=1, keepdims=True)) / wide.std(axis=1, keepdims=True)
    skewness, kurtosis = answer(Moments(), x)
    close(skewness, np.mean(z**3, axis=1), 1e-5)
    close(kurtosis, np.mean(z**4, axis=1), 1e-5)


def test_noise_has_the_kurtosis_of_noise() -> None:
    skewness, kurtosis = answer(Moments(), RNG.normal(size=(1, 4096)))
    assert abs(skewness[0]) < 0.15
    assert abs(kurtosis[0] - 3) < 0.3


def test_what_does_not_vary_has_no_shape() -> None:
    still = np.full((1, 128), np.float32(0.1))
    assert [float(part[0]) for part in answer(Moments(), still)] == [0, 0]


@pytest.mark.parametrize("place", [0, 1, 127])
@pytest.mark.parametrize("operator", [Sum(), Mean(), Rms(), Peak(), Moments(), Detrend(), PowerSpectrum()])
def test_a_gap_anywhere_makes_the_result_a_gap(operator: Any, place: int) -> None:
    x = X[:1, :, 0].copy()
    x[0, place] = np.nan
    for part in answer(operator, x):
        assert np.isnan(part).all()


def test_lines_are_taken_away() -> None:
    wide = X.astype(np.float64)
    close(answer(Detrend(), X)[0], wide - wide.mean(axis=1, keepdims=True), 1e-6)
    design = np.stack([np.ones(128), PLACE], axis=1)
    for k in range(2):
        fitted = design @ np.linalg.lstsq(design, wide[:, :, k].T, rcond=None)[0]
        close(answer(Detrend(1), X[:, :, k])[0], wide[:, :, k] - fitted.T, 1e-6)
    slope = np.float32(3) * PLACE.astype(np.float32)[None] + np.float32(7)
    assert np.abs(answer(Detrend(1), slope)[0]).max() < 1e-4


@pytest.mark.parametrize(
    ("shape", "formula"), [("hann", np.hanning), ("hamming", np.hamming), ("blackman", np.blackman)]
)
@pytest.mark.parametrize("size", [8, 127, 128])
def test_tapers_are_those_of_numpy_with_the_last_left_out(shape: str, formula: Any, size: int) -> None:
    (found,) = answer(Taper(shape), np.ones((1, size)))
    assert np.abs(found[0] - formula(size + 1)[:-1]).max() < 6e-8


def test_an_unknown_taper_is_refused() -> None:
    with pytest.raises(BadProgram, match="hann, hamming, blackman"):
        answer(Taper("hanning"), np.ones((1, 8)))


def test_bands_of_a_spectrum() -> None:
    x = np.abs(X[:, :65])
    for edges in ((0, 1, 4, 9, 65), (1, 17, 33, 49)):
        expected = [x[:, a:b].sum(axis=1, dtype=np.float64) for a, b in pairwise(edges)]
        close(answer(BandSum(edges), x)[0], np.stack(expected, axis=1), 1e-6)


@pytest.mark.parametrize("edges", [(0,), (3, 3), (4, 2), (-1, 2), (0, 66)])
def test_bands_that_are_none_are_refused(edges: tuple[int, ...]) -> None:
    with pytest.raises(BadProgram, match="do not rise"):
        answer(BandSum(edges), X[:, :65])


def test_bands_between_frequencies() -> None:
    assert BandSum.of_frequencies((0, 10, 100, 500), rate_hz=1000, size=256).edges == (0, 3, 26, 128)
    with pytest.raises(BadProgram, match="a band is empty"):
        BandSum.of_frequencies((10, 11, 12), rate_hz=1000, size=256)


@pytest.mark.parametrize(
    "made", [MelBands(20, 16000, 0, 8000), MelBands(13, 16000, 300, 6000), MelBands(1, 1000, 0, 500)]
)
def test_mel_bands_are_triangles_between_evenly_pitched_edges(made: MelBands) -> None:
    pitch = np.linspace(*(2595 * np.log10(1 + f / 700) for f in (made.low_hz, made.high_hz)), made.bands + 2)
    edges = 700 * (10 ** (pitch / 2595) - 1)
    hertz = np.linspace(0, made.rate_hz / 2, 257)
    triangles = [np.interp(hertz, edges[k : k + 3], [0, 1, 0], 0, 0) for k in range(made.bands)]
    x = np.abs(RNG.normal(size=(3, 257, 2))).astype(np.float32)
    close(answer(made, x)[0], np.einsum("bk,wkc->wbc", triangles, x.astype(np.float64)), 1e-6)


def test_mel_bands_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadProgram, match="too many"):
        answer(MelBands(128, 16000, 0, 8000), np.ones((1, 65)))
    with pytest.raises(BadProgram, match="do not lie within"):
        answer(MelBands(20, 8000, 0, 8000), np.ones((1, 257)))


def test_goertzel_is_the_power_at_its_frequencies() -> None:
    x = X[:4, :, 0].reshape(-1)
    frequencies = (0.0, 5 / 128, 0.123, 0.25, 0.5)
    wave = np.exp(-2j * np.pi * np.outer(np.arange(128), frequencies))
    twice = np.array([1, 2, 2, 2, 1])
    expected = twice * np.abs(X[:4, :, 0].astype(np.float64) @ wave / 128) ** 2
    close(answer(Goertzel(frequencies, 128), x)[0], expected, 1e-5)
    assert Goertzel.of_frequencies((25, 50), rate_hz=400, size=32) == Goertzel((0.0625, 0.125), 32)
    with pytest.raises(BadProgram, match=r"within 0\.\.0\.5"):
        answer(Goertzel((0.6,)), x)


def test_autocorrelation() -> None:
    wide = X.astype(np.float64)
    power = (wide**2).sum(axis=1)
    lags = [(wide[:, k:] * wide[:, :-k]).sum(axis=1) / power for k in range(1, 9)]
    close(answer(Autocorrelation(8), X)[0], np.stack(lags, axis=1), 2e-6)
    with pytest.raises(BadProgram, match="not longer"):
        answer(Autocorrelation(128), X)


def test_a_machine_that_turns_is_heard_in_the_autocorrelation() -> None:
    wave = np.sin(2 * np.pi * PLACE / 16)[None]
    (found,) = answer(Autocorrelation(40), wave)
    assert int(np.argmax(found[0, 8:])) + 9 == 16


def test_zero_crossings() -> None:
    expected = np.count_nonzero(np.diff(X < 0, axis=1), axis=1)
    assert (answer(ZeroCross(), X)[0] == expected).all()
    with pytest.raises(BadProgram, match="no neighbours"):
        answer(ZeroCross(), X[:, :1])


def test_histograms() -> None:
    (found,) = answer(Histogram(-4, 4, 16), X)
    for w in range(len(X)):
        for k in range(2):
            inside = np.clip(X[w, :, k], -4, np.float32(3.999))
            assert list(found[w, :, k]) == list(np.histogram(inside, 16, (-4, 4))[0])
    assert (found.sum(axis=1) == 128).all()
    with pytest.raises(BadProgram, match="hold nothing"):
        answer(Histogram(1, 1), X)


def test_logarithms_of_what_has_none() -> None:
    (found,) = answer(Log2(2.0**-20), np.array([0.0, -1.0, np.nan, 2.0**-30, 2.0**-19, np.inf]))
    assert list(found) == [-20, -20, -20, -20, -19, 128]
