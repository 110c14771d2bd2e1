"""Known patterns: the nearest one decides, silence has its limits, and what is loud stays loud."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.alarm_shape import AlarmShape
from bimetal.program.operators.known_pattern import UNDER, KnownPattern
from bimetal.targets.numpy import NumpyTarget

UP, DOWN = (0.9, 0.05), (0.05, 0.9)
BANK = {
    "known_shape": np.array([UP, DOWN, (0.0, 0.0)]),
    "known_reach": np.array([0.8, 0.8, 2.0]),
    "known_most": np.array([2.0, 1e6, 0.0]),
    "known_gain": np.array([0.0, 1.5, 0.0]),
}


def judged(score: float, shape: tuple[float, float]) -> NDArray[np.void]:
    """What a bank of one silent and one loud pattern makes of a row."""
    rows = np.array([score]), np.array([shape])
    program, _ = wire(KnownPattern(3), rows)
    given = np.zeros(1, layout_of(program).input.dtype)
    given["x0"], given["x1"] = rows
    return NumpyTarget().load(program, pack(program, BANK)).run(initial_state(program), given)[1][0]


@pytest.mark.parametrize(
    ("score", "shape", "after", "place"),
    [
        (1.9, UP, UNDER, 0),
        (1.9, (0.5, 0.4), 1.9, 0),
        (1.0, (0.6, 0.3), UNDER, 0),
        (2.1, UP, 2.1, 0),
        (0.5, UP, 0.5, -1),
        (0.6, DOWN, 0.9, 1),
        (0.8, DOWN, 1.2, 1),
        (0.8, (0.4, 0.5), 0.8, 1),
        (5.0, (0.0, 0.0), 5.0, -1),
        (np.inf, DOWN, np.inf, 1),
    ],
)
def test_the_nearest_pattern_decides(
    score: float, shape: tuple[float, float], after: float, place: int
) -> None:
    said = judged(score, shape)
    assert said["y0"] == pytest.approx(after, abs=1e-6)
    assert said["y1"] == place
    silent = place == 0 and after == UNDER
    assert (said["y0"] < 1) == (silent or after < 1)


def test_a_score_from_which_no_pattern_makes_an_alarm_is_like_none() -> None:
    below, above = (np.nextafter(np.float32(UNDER / 1.5), np.float32(x)) for x in (0, 1))
    assert [judged(float(score), UP)["y1"] for score in (below, above)] == [-1, 0]
    assert judged(float(below), UP)["y2"] == 0
    assert judged(float(below), UP)["y0"] == below


def test_how_alike_it_is_is_what_both_have() -> None:
    assert judged(1.0, (0.5, 0.4))["y2"] == pytest.approx(0.55)


def test_an_alarm_that_has_just_begun_needs_less_to_be_known() -> None:
    young, old = judged(1.05, (0.65, 0.0)), judged(1.6, (0.65, 0.0))
    assert young["y0"] < 1 < old["y0"]


@pytest.mark.parametrize("operator", [KnownPattern(), AlarmShape()])
def test_what_it_cannot_take_is_refused_in_words(operator: KnownPattern | AlarmShape) -> None:
    with pytest.raises(BadProgram, match="it takes f32"):
        wire(operator, (np.array([[1, 2]]), np.array([[1.0]])))
