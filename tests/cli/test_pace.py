"""How a server shares its time between what comes in and what has to be done beside it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bimetal.cli.pace import rest_s


@pytest.mark.parametrize(("took_s", "rest"), [(0.0, 5.0), (0.1, 5.0), (1.0, 49.0), (60.0, 2940.0)])
def test_what_takes_long_is_done_seldom(took_s: float, rest: float) -> None:
    assert rest_s(5.0, took_s) == rest
    assert took_s / (took_s + rest) <= 0.02


def test_what_is_there_is_not_looked_through_for_cycles_any_more() -> None:
    script = (
        "import gc; from bimetal.cli.pace import collect_seldom; usual = gc.get_threshold()[0]; "
        "collect_seldom(); "
        "print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0] > 5 * usual, gc.isenabled())"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True"] * 3
