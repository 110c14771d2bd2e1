"""Filters, slower clocks, quantiles and what decides when something is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bimetal.nouns.errors import BadProgram
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.node import Clock
from bimetal.program.operator import wire
from bimetal.program.operators.affine import Affine
from bimetal.program.operators.band import Band
from bimetal.program.operators.concat import Concat
from bimetal.program.operators.cusum import Cusum
from bimetal.program.operators.dc_block import DcBlock
from bimetal.program.operators.emit_if import EmitIf
from bimetal.program.operators.fir import Fir
from bimetal.program.operators.hysteresis import Hysteresis
from bimetal.program.operators.p2_quantile import P2Quantile
from bimetal.program.operators.power_spectrum import PowerSpectrum
from bimetal.program.operators.resample import Resample
from bimetal.program.operators.select import Select
from bimetal.program.operators.send_on_delta import SendOnDelta
from bimetal.program.operators.window import Window
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyRunning, NumpyTarget
from tests.program.operators.answer import answer

RNG = np.random.default_rng(2)
X = RNG.normal(size=500).astype(np.float32)


def test_a_filter_is_a_convolution() -> None:
    taps = (0.5, -0.25, 0.125, 1.0, 0.0625)
    expected = np.convolve(X.astype(np.float64), taps)[:500]
    np.testing.assert_allclose(answer(Fir(taps), X)[0], expected, atol=2e-6)
    pair = np.stack([X, X[::-1]], axis=1)
    np.testing.assert_allclose(answer(Fir(taps), pair)[0][:, 0], expected, atol=2e-6)
    np.testing.assert_allclose(answer(Fir((2.0,)), X)[0], 2 * X)
    with pytest.raises(BadProgram, match="1 to 65536 taps"):
        answer(Fir(()), X)


def test_what_does_not_change_is_taken_away() -> None:
    (found,) = answer(DcBlock(0.99), X + np.float32(1000))
    expected = [0.0]
    for a, b in zip(X[:-1].astype(np.float64), X[1:].astype(np.float64), strict=True):
        expected.append(b - a + 0.99 * expected[-1])
    np.testing.assert_allclose(found, expected, atol=3e-3)
    assert abs(found[300:].mean()) < 0.05


@pytest.mark.parametrize(("how", "of"), [("mean", np.nanmean), ("least", np.nanmin), ("greatest", np.nanmax)])
def test_slower_clocks(how: str, of: Any) -> None:
    x = X.copy()
    x[RNG.random(500) < 0.3] = np.nan
    x[::7] = 1.0
    (found,) = answer(Resample(7, how), x)
    np.testing.assert_allclose(found, of(x[:497].reshape(71, 7), axis=1), rtol=1e-5, atol=1e-6)
    with pytest.raises(BadProgram, match="mean, last, least, greatest"):
        answer(Resample(7, "median"), x)


def test_slow_values_are_made_slower_still_and_go_into_windows() -> None:
    """Every clock fires when it is due and never else."""
    draft = Draft("rates")
    x = draft.input("x")
    slow = Resample(5).trace(draft, x)
    slower = Resample(2, "last").trace(draft, slow)
    power = PowerSpectrum().trace(draft, Window(4, 2).trace(draft, slow))
    assert (slow.clock, slower.clock, power.clock) == (Clock(5, 4), Clock(10, 9), Clock(10, 19))
    draft.output("slower", slower)
    draft.output("power", power)
    assert [s.clock.period for s in check(draft.finish()).stages] == [1, 5, 10, 10]


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.95])
def test_quantiles_of_many_readings(quantile: float) -> None:
    rng = np.random.default_rng(4)
    x = np.stack([getattr(rng, draw)(size=3000) for draw in ("normal", "exponential", "uniform")], axis=1)
    x = x.astype(np.float32)
    (found,) = answer(P2Quantile(quantile), x)
    assert (np.abs((x < found[-1]).mean(axis=0) - quantile) < 0.015).all()
    np.testing.assert_allclose(found[-1], [p_squared(column.tolist(), quantile) for column in x.T], rtol=1e-4)


def test_quantiles_heal_from_infinities_and_may_be_many() -> None:
    x = np.stack([X, np.where(RNG.random(500) < 0.2, np.inf, X), np.full(500, np.nan)], axis=1)
    (found,) = answer(P2Quantile(), x)
    assert (found[:, 0] == answer(P2Quantile(), X)[0]).all()
    assert np.abs(found[-1, 1]) < 0.3
    assert (found[:, 2] == 0).all()


def test_a_quantile_of_very_many_readings_counts_the_old_ones_half() -> None:
    program, values = wire(P2Quantile(), (X,))
    running = NumpyTarget().load(program, pack(program, values))
    state = np.frombuffer(initial_state(program), running.layouts.state.dtype).copy()
    state["seen"], state["heights"] = 5, [-3, -1, 0, 1, 3]
    state["places"] = [1, 2**21, 2**22, 3 * 2**21, 2**23 - 1]
    after, outputs, _ = running.run(state.tobytes(), rows_of(running, X[:100]))
    left = np.frombuffer(after, running.layouts.state.dtype)[0]
    assert left["places"][4] == 2**22 + 99
    assert (np.diff(left["places"]) > 2**19).all()
    assert np.abs(outputs["y0"]).max() < 1e-3
    assert np.abs(left["heights"][1:4] - [-1, 0, 1]).max() < 1e-3


def rows_of(running: NumpyRunning, x: Any) -> Any:
    """Readings of one signal."""
    rows = np.zeros(len(x), running.layouts.input.dtype)
    rows["x0"] = x
    return rows


def p_squared(x: list[float], p: float) -> float:
    """The algorithm as the paper has it, in double precision."""
    q = sorted(x[:5])
    n = [1, 2, 3, 4, 5]
    for value in x[5:]:
        q[0], q[4] = min(q[0], value), max(q[4], value)
        n = [n[0], *(n[i] + (value < q[i]) for i in (1, 2, 3)), n[4] + 1]
        for i, share in ((1, p / 2), (2, p), (3, (1 + p) / 2)):
            off = 1 + (n[4] - 1) * share - n[i]
            if (off >= 1 and n[i + 1] - n[i] > 1) or (off <= -1 and n[i] - n[i - 1] > 1):
                s = 1 if off > 0 else -1
                rise, fall = ((q[i + k] - q[i + k - 1]) / (n[i + k] - n[i + k - 1]) for k in (1, 0))
                bent = (n[i] - n[i - 1] + s) * rise + (n[i + 1] - n[i] - s) * fall
                parabola = q[i] + s / (n[i + 1] - n[i - 1]) * bent
                q[i] = parabola if q[i - 1] < parabola < q[i + 1] else q[i] + s * (rise if s > 0 else fall)
                n[i] += s
    return q[2]


def test_a_small_shift_is_found_and_noise_is_left_alone() -> None:
    noise = np.random.default_rng(8).normal(size=20_000).astype(np.float32)
    _, alarms = answer(Cusum(0.5, 5.0), noise[:10_000].reshape(200, 50))
    assert 465 / 1.5 < 10_000 / alarms.sum() < 465 * 1.5
    _, alarms = answer(Cusum(0.5, 5.0), noise.reshape(100, 200) + 1)
    assert 8 < np.mean(np.argmax(alarms, axis=0) + 1) < 13


def test_hysteresis_is_a_loop_over_readings() -> None:
    (found,) = answer(Hysteresis(0.8, -0.3), X)
    on = False
    for x, is_on in zip(X, found, strict=True):
        on = x > 0.8 or (on and not x < -0.3)
        assert is_on == on
    with pytest.raises(BadProgram, match="at once"):
        answer(Hysteresis(0.0, 1.0), X)


def test_bands() -> None:
    assert (answer(Band(-0.5, 1.5), X)[0] == ((X < -0.5) | (X > 1.5))).all()


def test_what_is_sent_tells_what_was_not() -> None:
    """Whoever keeps the value sent last is never off by more than delta, nor left without a word."""
    walk = np.cumsum(X).astype(np.float32)
    pair = np.stack([walk, -2 * walk], axis=1)
    due, sent = answer(SendOnDelta(1.5, 20), pair)
    assert np.abs(sent - pair).max() <= 1.5
    assert np.diff(np.flatnonzero(due)).max() <= 20
    assert 25 < due.sum() < 500


def test_a_condition_says_when_to_send() -> None:
    holds = RNG.random(500) < 0.2
    given, sent = answer(EmitIf(), X, holds)
    assert (given == holds).all()
    last = np.maximum.accumulate(np.where(holds, np.arange(500), -1))
    assert (sent == np.where(last < 0, 0, X[last])).all()


@pytest.mark.parametrize(
    ("operator", "signals"),
    [
        (EmitIf(), (X,)),
        (EmitIf(), (X, X)),
        (Affine((1.0, 2.0), (0.0, 0.0)), (X,)),
        (Affine((1.0, 2.0), (0.0,)), (X[:, None],)),
        (Select((1,)), (X,)),
        (Select((2,)), (np.zeros((1, 2)),)),
        (Select(()), (np.zeros((1, 2)),)),
        (Concat(), (X, np.zeros(500, np.int8))),
    ],
)
def test_what_does_not_fit_is_refused(operator: Any, signals: Any) -> None:
    with pytest.raises(BadProgram):
        wire(operator, signals)
