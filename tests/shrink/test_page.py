"""The figures on the page for microcontrollers are those of the real model, give or take a twentieth."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.house import ROOT
from bench.simulate import count
from bimetal.bundle.seal import read
from bimetal.cli import door
from bimetal.cli.fitting import room_of
from bimetal.program.layout import layout_of
from bimetal.shrink.machine import machine_of
from bimetal.targets.vectors import decode

PAGE = ROOT / "docs" / "start" / "microcontroller.md"
SIZES = {"flash": None, "ram": None, "instructions": None}


def told(pattern: str) -> list[int]:
    """Return the numbers that a row of the page gives."""
    found = re.search(pattern, PAGE.read_text(encoding="utf-8"))
    assert found, pattern
    return [int(number.replace(",", "")) for number in found.groups()]


@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_the_figures_are_those_of_the_model(data: Callable[..., Path], tmp_path: Path) -> None:
    table = data("nab", "data", "realKnownCause", "machine_temperature_system_failure.csv")
    assert door.run(["train", str(table), "-o", str(tmp_path / "nab.bm")]) == 0
    bundle = read(tmp_path / "nab.bm").bundle
    room = room_of("cortex-m4", None, SIZES)
    assert room is not None
    fit = room.fit(bundle.program, bundle.blocks[""], 300.0)
    used = {row.name: row.used for row in fit.rows}
    vectors = [v.rows for v in decode(bundle.program, bundle.vectors).runs]
    rows = sum(len(v) for v in vectors)

    flash, learned = told(r"\| flash \| ([\d,]+) bytes, ([\d,]+) of them learned")
    ram, state, stack, rest = told(
        r"\| RAM \| ([\d,]+) bytes: state ([\d,]+), stack ([\d,]+), reading and result ([\d,]+)"
    )
    painted, given = told(r"painted in an emulator \| ([\d,]+) bytes \| at most, over ([\d,]+) readings")
    instructions, more = told(r"instructions of a reading \| ([\d,]+), ([\d,]+) more at most")
    (counted,) = told(r"counted in an emulator \| ([\d,]+)")

    seen = count(bundle.program, bundle.blocks[""], vectors[0], machine_of("cortex-m4"), tmp_path)
    found = [
        (flash, used["flash"]),
        (learned, layout_of(bundle.program).params.size),
        (ram, used["ram"]),
        (state, fit.memory["state"]),
        (stack, used["stack"]),
        (rest, fit.memory["reading"] + fit.memory["result"]),
        (painted, int(seen.stack_bytes.max())),
        (given, rows),
        (instructions, used["instructions"]),
        (counted, int(seen.instructions.max())),
    ]
    assert not [(said, true) for said, true in found if abs(said - true) > 0.05 * true]
    assert counted <= instructions + more
    assert painted <= stack
