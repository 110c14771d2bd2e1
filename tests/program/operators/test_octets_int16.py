"""Octets in whole numbers are those of floats, but for one at halves, and refuse what would overflow."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import BadProgram
from bimetal.program.operators.octets import Octets
from bimetal.program.operators.octets_int16 import OctetsInt16
from tests.program.operators.answer import answer


@pytest.mark.parametrize("low", [-32768, -2304, 0, 900])
@pytest.mark.parametrize(("span", "shift"), [(40, 11), (300, 13), (4000, 17), (31000, 20)])
def test_octets_are_those_of_floats(low: int, span: int, shift: int) -> None:
    x = np.random.default_rng(1).integers(-32768, 32768, (500, 1)).astype(np.int16)
    x[:200, 0] = low + np.random.default_rng(2).integers(0, span, 200)
    (found,) = answer(OctetsInt16((low,), (low + span,), shift), x)
    (floats,) = answer(Octets(float(low), float(low + span)), x.astype(np.float32))
    assert np.abs(found.astype(int) - floats.astype(int)).max() <= 1


def test_ranges_that_are_none_are_refused() -> None:
    x = np.zeros((1, 2), np.int16)
    with pytest.raises(BadProgram, match="a higher high"):
        answer(OctetsInt16((0, 3), (5, 3)), x)
    with pytest.raises(BadProgram, match=r"leave 1\.\.16384"):
        answer(OctetsInt16((0, 0), (10, 1000)), x)
    with pytest.raises(BadProgram, match=r"leave 1\.\.16384"):
        answer(OctetsInt16((0, 0), (9000, 9000), 1), x)
