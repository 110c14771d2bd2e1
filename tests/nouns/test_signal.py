"""A signal has a name, a period that can be, and a range with something in it."""

from __future__ import annotations

from typing import Any

import pytest

from bimetal.nouns import Purpose, Signal
from bimetal.nouns.errors import BadInput

NAN = float("nan")


def test_a_label_is_what_people_write() -> None:
    assert Signal("pressure", "bar").label == "pressure [bar]"
    assert Signal("pressure").label == "pressure"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"period_s": -1.0},
        {"period_s": NAN},
        {"low": 2.0, "high": 2.0},
        {"low": NAN},
        {"high": NAN},
    ],
)
def test_a_signal_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    build: Any = Signal
    with pytest.raises(BadInput):
        build(**({"name": "x"} | wrong))


@pytest.mark.parametrize("keep_days", [0.0, -1.0, NAN])
def test_a_purpose_ends_after_its_beginning(keep_days: float) -> None:
    with pytest.raises(BadInput, match="watching: data must be kept"):
        Purpose("watching", "contract", keep_days)
