"""An AVR, whose int has 16 bits and whose constants lie in flash, agrees with the golden vectors."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bimetal.learn.detector import Design, detector_program
from bimetal.program.block import pack
from bimetal.program.program import Draft
from bimetal.targets.c99_project import emit
from bimetal.targets.vectors import make_vectors
from tests.agree import odd_program
from tests.agree.compiled import run_tool
from tests.targets.given import small_draft

STUB = Path(__file__).parents[1] / "targets" / "packaging" / "stub" / "avr_main.c"
FLAGS = ("-std=gnu99", "-Os", "-mmcu=atmega2560", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Werror")
VECTORS, ROWS = 4, 8
LONGEST_S = 100


def detector() -> Draft:
    """The default detector for one signal."""
    return detector_program(Design(1), ["x"])[1]


MAKERS: tuple[Callable[[], Draft], ...] = (
    small_draft, detector, odd_program.whole_numbers, odd_program.fractions, odd_program.any_bits,
    odd_program.elementary_functions, odd_program.swapped, odd_program.windows, odd_program.first_values,
)  # fmt: skip


@pytest.mark.needs("avr-gcc", "simavr")
@pytest.mark.parametrize("make", MAKERS)
def test_an_avr_agrees(make: Callable[[], Draft], tmp_path: Path) -> None:
    draft = make()
    program = draft.finish()
    block = pack(program, draft.values)
    emit(
        program, block, make_vectors(program, block, seed=3, rows=ROWS, runs=VECTORS), str(tmp_path), "plant"
    )
    sources = [str(STUB), "plant.c", "plant_params.c", "plant_test.c"]
    run_tool(["avr-gcc", *FLAGS, "-I.", *sources, "-o", "avr.elf", "-lm"], tmp_path)
    done = subprocess.run(
        ["simavr", "-m", "atmega2560", "-f", "16000000", "avr.elf"],
        cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_S, check=False,
    )  # fmt: skip
    found = re.search(r"\d+/\d+", done.stdout + done.stderr)
    assert found, done.stdout + done.stderr
    assert found[0] == f"0/{VECTORS}"
