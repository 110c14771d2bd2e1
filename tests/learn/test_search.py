"""What is decided before learning: a short history gets short averages, all else is one configuration."""

from __future__ import annotations

import pytest

from bimetal.learn.search import SHORT, design_for


@pytest.mark.parametrize("rows", [SHORT, 300, 100_000])
def test_one_configuration_for_all(rows: int) -> None:
    one, other = design_for(1, rows, False), design_for(40, 1_000_000, True)
    assert one.spans == other.spans
    assert one.warm_up <= max(rows // 8, 12)


def test_a_short_history_gets_averages_it_can_carry() -> None:
    short = design_for(3, SHORT - 1, False)
    assert max(short.spans) * 4 <= 64
    assert short.warm_up < 64 // 4
