"""Features in whole numbers are those of NumPy in double precision, within the bounds that are stated."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.operator import wire
from bimetal.program.operators.features_int16 import FeaturesInt16
from bimetal.program.verify import check
from bimetal.targets.c99 import write_c99
from bimetal.targets.lower import lower
from tests.program.operators.answer import answer

EDGES = {64: (0, 4, 16, 32), 256: (0, 8, 24, 64, 128)}
PLACE = np.arange(256)


def true_shape(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The seven features that need no spectrum; windows (windows, n)."""
    rest = x - x.mean(axis=1, keepdims=True)
    rms, peak = rest.std(axis=1), np.abs(rest).max(axis=1)
    z: NDArray[np.float64] = rest / rms[:, None]
    sizes = [
        rms,
        peak,
        x.max(axis=1) - x.min(axis=1),
        peak / rms,
        np.mean(z**4, axis=1),
    ]
    crossings = np.count_nonzero(np.diff(rest < 0, axis=1), axis=1)
    logs = 256 * np.log2(np.array(sizes, np.float64))
    return np.stack([*logs, 256 * np.mean(z**3, axis=1), crossings], axis=1)


def true_power(x: NDArray[np.float64], edges: tuple[int, ...]) -> NDArray[np.float64]:
    """The mean square in each band, tapered."""
    n = x.shape[1]
    hann: NDArray[np.float64] = np.sin(np.pi * PLACE[:n] / n) ** 2
    rest = (x - x.mean(axis=1, keepdims=True)) * hann
    power = 2 * np.abs(np.fft.rfft(rest, axis=1) / n) ** 2
    power[:, 0] = 0
    return np.stack([power[:, a:b].sum(axis=1) for a, b in pairwise(edges)], axis=1)


def windows(n: int, kind: str, size: float) -> NDArray[np.int16]:
    """Windows of a kind, with a peak of about `size`."""
    rng = np.random.default_rng(n)
    wave = size * np.sin(rng.uniform(0.05, 3, (16, 1)) * PLACE[:n])
    made: dict[str, NDArray[np.float64]] = {
        "noise": rng.normal(0, size / 3, (16, n)),
        "wave": wave + rng.normal(0, size / 9, (16, n)),
        "knocks": rng.normal(0, size / 30, (16, n)) + size * (rng.random((16, n)) < 3 / n),
        "ends": rng.choice([-size, size], (16, n)),
        "apart": size * (rng.random((16, 1)) - 0.5) + size / 3 * rng.normal(size=(16, n)),
    }
    return np.clip(np.round(made[kind]), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("n", [64, 256])
@pytest.mark.parametrize("kind", ["noise", "wave", "knocks", "ends", "apart"])
@pytest.mark.parametrize("size", [100, 500, 12_000, 40_000])
def test_features_are_within_their_bounds(n: int, kind: str, size: float) -> None:
    x = windows(n, kind, size)
    x = x[np.abs(x - x.mean(axis=1, keepdims=True)).max(axis=1) >= 64]
    assert len(x) > 8
    (found,) = answer(FeaturesInt16(EDGES[n]), x)
    wide = x.astype(np.float64)
    off = np.abs(found[:, :7] - true_shape(wide))
    assert off[:, :5].max() <= 4
    assert (off[:, 5] <= np.maximum(2, np.abs(found[:, 5]) / 50)).all()
    power, peak = true_power(wide, EDGES[n]), np.abs(wide - wide.mean(axis=1, keepdims=True)).max(axis=1)
    seen = power >= (peak[:, None] / 50) ** 2
    assert np.abs(found[:, 7:] - 256 * np.log2(np.maximum(power, 1e-9)))[seen].max() <= 16


def test_sign_changes_are_counted() -> None:
    x = windows(256, "noise", 3000)
    assert np.abs(answer(FeaturesInt16(()), x)[0][:, 6] - true_shape(x.astype(float))[:, 6]).max() <= 2


@pytest.mark.parametrize("value", [-32768, -1, 0, 32767])
def test_what_does_not_vary_has_no_shape(value: int) -> None:
    (found,) = answer(FeaturesInt16(EDGES[64]), np.full((1, 64), value, np.int16))
    assert list(found[0]) == [0] * 7 + [-2304] * 3


def test_channels_are_taken_one_by_one() -> None:
    x = np.stack([windows(256, kind, 900) for kind in ("noise", "wave", "knocks")], axis=2)
    (found,) = answer(FeaturesInt16(), x)
    for k in range(3):
        assert (found[:, k] == answer(FeaturesInt16(), x[:, :, k])[0]).all()


def test_a_band_between_its_edges_is_the_sum_of_its_parts() -> None:
    x = windows(256, "noise", 5000)
    narrow, wide = (answer(FeaturesInt16(e), x)[0][:, 7:] for e in ((20, 64, 100, 128), (20, 128)))
    assert np.abs(256 * np.log2((2.0 ** (narrow / 256)).sum(axis=1)) - wide[:, 0]).max() <= 4


@pytest.mark.parametrize("edges", [(4,), (4, 4), (8, 4), (0, 130), (-2, 4)])
def test_edges_that_are_none_are_refused(edges: tuple[int, ...]) -> None:
    with pytest.raises(BadProgram, match="do not rise"):
        answer(FeaturesInt16(edges), np.zeros((1, 256), np.int16))


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(BadProgram, match="not even"):
        answer(FeaturesInt16((1, 8)), np.zeros((1, 64), np.int16))
    with pytest.raises(BadProgram, match="64 or 256"):
        answer(FeaturesInt16(()), np.zeros((1, 128), np.int16))
    with pytest.raises(BadProgram, match="one i16 signal"):
        answer(FeaturesInt16(), np.zeros((1, 64)))


def test_no_float_is_computed_where_there_is_no_float_unit() -> None:
    program, _ = wire(FeaturesInt16(), (np.zeros((1, 256, 3), np.int16),))
    code = write_c99(program, lower(program, check(program).ranges), "m").code
    assert not [line for line in code.split("\n") if "float" in line and not line.startswith("#")]
