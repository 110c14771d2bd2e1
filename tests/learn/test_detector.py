"""The wiring: names, sizes, shares that add up, sensors kept apart, a state for a microcontroller."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.detector import Design, detector_program, input_names, sensing_program
from bimetal.nouns.event import Fault
from bimetal.program.layout import layout_of
from bimetal.program.verify import check
from tests.learn.given import outputs, readings, taught


def test_names_are_distinct_identifiers() -> None:
    names = input_names(["Pressure (bar)", "pressure bar", "2nd", "温度", "温度", "x" * 99])
    assert len(set(names)) == len(names)
    assert all(n.isidentifier() and n.isascii() and len(n) <= 40 for n in names)
    assert names[0] == "pressure_bar"


@pytest.mark.parametrize("signals", [1, 2, 8, 65])
def test_the_front_part_is_part_of_the_whole(signals: int) -> None:
    design, names = Design(signals), [f"x{k}" for k in range(signals)]
    front, _ = sensing_program(design, names)
    whole, _ = detector_program(design, names)
    shapes = {name: node.shape for name, node in front.outputs}
    assert shapes["features"] == (signals, design.own_features)
    assert shapes["bands"] == (design.bands, signals)
    assert {"score": (), "alarm": (), "share": (signals,), "fault": (signals,)}.items() <= {
        name: node.shape for name, node in whole.outputs
    }.items()
    check(whole)


def test_eight_signals_fit_a_microcontroller() -> None:
    program, _ = detector_program(Design(8), [f"x{k}" for k in range(8)])
    assert layout_of(program).state.size <= 4096
    wide, _ = detector_program(Design(38), [f"x{k}" for k in range(38)])
    assert layout_of(wide).state.size <= 16_384


def test_what_moves_is_blamed_and_sensors_are_kept_apart() -> None:
    learned = taught(("pump", readings(2000, signals=3)), budget="1/month")
    values = readings(900, 7, signals=3)
    values[300:340, 1] += 3.0
    values[500:600, 2] = values[500, 2]
    values[700:760, 0] = np.nan
    out = outputs(learned, values)
    assert out["alarm"][300:340].any()
    at = 300 + int(out["score"][300:340].argmax())
    assert out["share"][at].argmax() == 1
    assert (out["share"].sum(axis=1) <= 1).all()
    assert (out["share"] >= 0).all()
    assert (out["fault"][560:600, 2] == Fault.STUCK).all()
    assert (out["fault"][740:760, 0] == Fault.MISSING).all()
    calm = np.r_[48:300, 480:500, 540:900]
    assert not out["alarm"][calm].any()
    assert (out["score"][:47] == 0).all()


def test_no_more_alarms_than_the_budget_whatever_comes() -> None:
    learned = taught(("pump", readings(1000)))
    wild = readings(20_000, 3)
    wild[::50] += 40 * np.random.default_rng(0).standard_normal((400, 2))
    out = outputs(learned, wild)
    begun = int(np.count_nonzero(np.diff(out["alarm"].astype(int), prepend=0) == 1))
    assert begun <= 8 + 20_000 / 1440
    assert out["held_back"][-1] > 100
    assert (np.diff(out["held_back"].astype(int)) >= 0).all()
