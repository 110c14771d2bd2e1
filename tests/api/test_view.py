"""What the page is told has to make sense."""

from __future__ import annotations

import pytest

from bimetal.api.view import BudgetRow, PlantView, StageView
from bimetal.nouns.device import Device
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan")])
def test_progress_is_a_part(progress: float) -> None:
    with pytest.raises(BadInput, match="from 0 to 1"):
        StageView(progress=progress)


def test_names_are_used_once() -> None:
    with pytest.raises(BadInput, match="devices have the same id"):
        PlantView("p", (Device("a"), Device("a")), ())
    with pytest.raises(BadInput, match="signals have the same name"):
        PlantView("p", (), (Signal("a"), Signal("a")))


@pytest.mark.parametrize(("used", "fits"), [(1, True), (2, True), (2.1, False), (float("nan"), False)])
def test_a_row_fits_when_no_more_is_used_than_allowed(used: float, fits: bool) -> None:
    assert BudgetRow("flash", used, 2).fits is fits
