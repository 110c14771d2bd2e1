"""Alternatives: each has figures, each would fit, and the best of its kind is named."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.program import Draft, Program
from bimetal.shrink.alternative import Alternative, alternatives, other_board
from bimetal.shrink.board import board_of
from bimetal.shrink.budget import Fit, Limits, fit, fits_on, need_of
from bimetal.shrink.importance import WHITEN
from bimetal.shrink.machine import machine_of
from tests.shrink.given import detector

M0 = machine_of("cortex-m0plus")
NAMES = ["oil temperature", "pressure", "flow", "speed", "current"]


def values_of(program: Program) -> dict[str, np.ndarray]:
    values = {p.name: np.full(p.shape, min(max(0.0, p.low), p.high)) for p in program.params}
    for name, value in values.items():
        if name.endswith("whiten"):
            value += np.eye(value.shape[-1])
    return values


def found(program: Program, limits: Limits, values: dict[str, np.ndarray] | None = None) -> list[Alternative]:
    def judge(other: Program, block: bytes) -> Fit:
        return fit(need_of(other), M0, limits)

    need = need_of(program)
    names = NAMES[: len(program.inputs)]
    return list(alternatives(need, values or values_of(program), names, fit(need, M0, limits), judge))


def test_the_most_signals_that_fit_are_named() -> None:
    most = fit(need_of(detector(3)), M0, Limits()).row("flash")
    assert most is not None
    (fewer,) = found(detector(5), Limits(flash_bytes=most.most))
    assert fewer.what.startswith("3 of its 5 signals")
    assert fewer.fit is not None
    assert fewer.fit.fits
    assert fewer.how.startswith("bimetal train DATA --signals ")


def test_the_least_important_is_left_out() -> None:
    values = values_of(detector(5))
    covariance = np.eye(5)
    covariance[1, 3] = covariance[3, 1] = 0.99
    values[WHITEN][:] = np.linalg.cholesky(np.linalg.inv(covariance)).T
    most = fit(need_of(detector(4)), M0, Limits()).row("flash")
    assert most is not None
    (fewer,) = found(detector(5), Limits(flash_bytes=most.most), values)
    assert fewer.how == "bimetal train DATA --signals 'oil temperature,pressure,flow,current'"


def test_where_no_signals_would_do_none_are_named() -> None:
    assert found(detector(5), Limits(flash_bytes=500)) == []
    assert found(detector(1), Limits(flash_bytes=500)) == []


def spectrum(size: int) -> Program:
    draft = Draft("spectrum")
    items = word.window(draft, draft.input("x"), size, size // 2)
    draft.output("largest", letter.reduce(letter.mul(items, items), "max"))
    return draft.finish()


@pytest.mark.parametrize("ram", [700, 1200, 1800])
def test_windows_are_as_long_as_they_may_be(ram: int) -> None:
    (shorter,) = found(spectrum(512), Limits(ram_bytes=ram))
    length = int(shorter.what.split()[2])
    assert shorter.what == f"windows of {length} readings instead of 512"
    fits = fit(need_of(spectrum(length // 2 * 2)), M0, Limits(ram_bytes=ram))
    assert fits.fits
    assert not fit(need_of(spectrum(int(length * 1.2) // 2 * 2)), M0, Limits(ram_bytes=ram)).fits


def test_windows_are_not_blamed_for_flash() -> None:
    assert found(spectrum(512), Limits(flash_bytes=100)) == []


def layer(rows: int) -> Program:
    draft = Draft("net")
    x = draft.input("x", "f32", (32,))
    weights = draft.param("weights", np.ones((rows, 32)), low=-10, high=10)
    draft.output("y", word.matvec(weights, x))
    return draft.finish()


def test_int8_is_named_where_it_would_do() -> None:
    flash = fit(need_of(layer(32)), M0, Limits()).row("flash")
    assert flash is not None
    (int8,) = found(layer(32), Limits(flash_bytes=flash.most - 100))
    assert f"about {flash.used - 3072:,} bytes of flash" in int8.what
    assert found(layer(32), Limits(flash_bytes=flash.most - 3200)) == []


def test_the_smallest_other_board_is_named() -> None:
    fits = fits_on(need_of(detector(2)))
    smallest = min((f.board for f in fits if f.fits and f.board), key=lambda b: b.ram_bytes + b.flash_bytes)
    (other,) = other_board(fits, None)
    assert other.how == f"--board {smallest.name}"
    assert other.fit is not None
    assert other.fit.fits
    (second,) = other_board(fits, board_of(smallest.name))
    assert second.how != other.how


def test_no_board_is_named_where_none_would_do() -> None:
    fits = [f for f in fits_on(need_of(detector(2))) if not f.fits]
    assert list(other_board(fits, None)) == []
