"""The quality gate: each fault by its name, process changes for what they are, a small state, equal bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.nouns.event import Fault
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.quality_gate import QualityGate
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget

ALONE = {
    "quality_jump": [4.0],
    "quality_rough": [6.0],
    "quality_fast": [2.5],
    "quality_slow": [2.0],
    "quality_broken": [0.1],
    "quality_reach": [5.0],
    "quality_origin": [20.0],
    "quality_unit_known": [True],
    "quality_factor": [[1 / 1.8], [1], [1], [1]],
    "quality_shift": [[20 * (1 / 1.8 - 1) - 32 / 1.8], [1e30], [1e30], [1e30]],
}
"""Limits of a signal of 20 degrees and one standard deviation of a degree, which may come in Fahrenheit."""


def quiet(rows: int, seed: int = 0, signals: int = 1) -> NDArray[np.float64]:
    return 0.4 * np.random.default_rng(seed).standard_normal((rows, signals))


def said(z: NDArray[np.float64], limits: dict[str, Any], target: Any = None) -> NDArray[np.void]:
    """What a gate puts out for standardised readings: y0 fault, y1 looks, y2 usable, y3 waits, y4 figures."""
    lost = np.isnan(z)
    signals = (z, np.ones(z.shape, bool), lost)
    program, values = wire(QualityGate(z.shape[1], "quality_sibling" in limits), signals)
    running = (target or NumpyTarget()).load(program, pack(program, values | limits))
    rows = np.zeros(len(z), layout_of(program).input.dtype)
    for k, signal in enumerate(signals):
        rows[f"x{k}"] = signal
    return running.run(initial_state(program), rows)[1]


def test_calm_readings_have_nothing() -> None:
    out = said(quiet(2000), ALONE)
    assert not out["y0"].any()
    assert not out["y1"].any()
    assert out["y2"].all()


@pytest.mark.parametrize("length", [1, 2])
def test_what_comes_back_is_a_spike_and_said_when_it_is_back(length: int) -> None:
    z = quiet(200)
    z[100 : 100 + length] += 9
    out = said(z, ALONE)
    assert np.flatnonzero(out["y0"][:, 0] == Fault.SPIKE).tolist() == [100 + length]
    assert out["y3"][100 : 100 + length].all()


def test_what_stays_is_a_step_and_no_spike() -> None:
    z = quiet(200)
    z[100:, 0] += 4.9
    out = said(z, ALONE)
    assert not (out["y0"] == Fault.SPIKE).any()
    assert (out["y1"][112:, 0] == Fault.OFFSET).all()
    assert np.flatnonzero(out["y3"][:, 0]).tolist()[:2] == [100, 101]


def test_a_slow_change_is_a_drift() -> None:
    z = quiet(600)
    z[200:, 0] += np.linspace(0, 6, 400)
    looks = said(z, ALONE)["y1"][:, 0]
    assert looks[-1] == Fault.DRIFT
    assert set(looks.tolist()) <= {0, int(Fault.DRIFT)}


def test_noise_is_noise() -> None:
    z = quiet(400)
    z[200:280] += 4 * np.random.default_rng(1).standard_normal((80, 1))
    looks = said(z, ALONE)["y1"][:, 0]
    assert (looks[230:280] == Fault.NOISE).mean() > 0.8
    assert not looks[:200].any()
    assert not looks[330:].any()


def test_losses_in_pieces_are_a_dropout_and_one_long_silence_is_none() -> None:
    z = quiet(400)
    z[100:140:2] = np.nan
    z[300:340] = np.nan
    fault = said(z, ALONE)["y0"][:, 0]
    assert (fault[110:140] == Fault.DROPOUT).all()
    assert not fault[200:].any()


def test_fahrenheit_is_told_and_not_used_until_it_is_celsius_again() -> None:
    z = quiet(300)
    z[100:200] = 1.8 * (20 + z[100:200]) + 32 - 20
    out = said(z, ALONE)
    assert (out["y0"][105:200, 0] == Fault.UNIT).all()
    assert not out["y2"][105:200].any()
    assert out["y2"][205:].all()
    unknown = said(z, ALONE | {"quality_unit_known": [False]})
    assert (unknown["y1"][105:200, 0] == Fault.UNIT).all()
    assert unknown["y2"][105:200].all()


def siblings() -> dict[str, Any]:
    both = {name: np.repeat(np.array(value), 2, axis=-1) for name, value in ALONE.items()}
    return both | {"quality_sibling": [1, 0], "quality_follows": [1.0, 1.0]}


def together(rows: int) -> NDArray[np.float64]:
    load = np.cumsum(0.05 * np.random.default_rng(3).standard_normal((rows, 1)), axis=0)
    return load - load.mean() + quiet(rows, 4, 2)


def test_the_sibling_that_left_its_own_past_is_convicted() -> None:
    z = together(400)
    z[200:260, 1] += 4.5
    fault = said(z, siblings())["y0"]
    assert (fault[212:260, 1] == Fault.OFFSET).all()
    assert not fault[:260, 0].any()


def test_what_both_siblings_do_is_no_fault_of_a_sensor() -> None:
    z = together(400)
    z[200:260] += 8
    z[300] += 9
    out = said(z, siblings())
    assert not out["y0"].any()
    assert out["y2"].all()


def test_a_sibling_that_says_the_same_again_is_no_witness() -> None:
    z = together(400)
    z[200:, 0] = z[200, 0]
    z[230:300, 1] += 4.5
    assert not said(z, siblings())["y0"][230:300, 1].any()


def test_other_targets_have_the_same_bits() -> None:
    z = together(500)
    z[100, 0], z[200:260, 1], z[300:340:3, 0] = 12, z[200:260, 1] + 5, np.nan
    law, wasm = said(z, siblings()), said(z, siblings(), WasmTarget())
    assert law.tobytes() == wasm.tobytes()


def test_a_signal_takes_less_than_two_hundred_bytes_and_others_are_refused() -> None:
    program, _ = wire(QualityGate(8, True), (np.zeros((1, 8)), np.ones((1, 8), bool), np.ones((1, 8), bool)))
    check(program)
    assert layout_of(program).state.size < 200 * 8
    draft = Draft("other")
    with pytest.raises(BadProgram, match="two b1 of that shape"):
        QualityGate(2).trace(draft, draft.input("x", "f32", (2,)))
