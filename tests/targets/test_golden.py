"""Golden programs: the answers, the text of the C and the sizes are those that were looked at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bimetal.program.layout import initial_state, layout_of
from bimetal.targets.wasm_run import WasmTarget
from tests.golden.program_case import NEEDS, Case, cases, compiler, count_of, on_cortex_m4, table
from tests.targets.given import bits

AGAIN = "if that was meant: python -m tests.golden.program_case, and look at what git shows"
every_case = pytest.mark.parametrize("case", list(cases()), ids=lambda c: c.folder.name)


def text_of(case: Case, file: str) -> str:
    """A file of a case."""
    return (case.folder / file).read_text(encoding="ascii")


@every_case
def test_the_law_says_what_it_said(case: Case) -> None:
    assert case.answers() == text_of(case, "expected.csv"), AGAIN


@every_case
def test_wasm_says_the_same(case: Case) -> None:
    running = WasmTarget().load(case.program, case.block)
    _, outputs, fired = running.run(initial_state(case.program), case.rows())
    assert table(layout_of(case.program).output, outputs, fired) == text_of(case, "expected.csv")


@every_case
def test_answers_are_kept_to_the_last_bit(case: Case) -> None:
    """Every float reads back from its text as it was."""
    layout = layout_of(case.program).output
    _, *lines = [line.split(",") for line in text_of(case, "expected.csv").splitlines()]
    running = WasmTarget().load(case.program, case.block)
    _, outputs, _ = running.run(initial_state(case.program), case.rows())
    at = 1
    for field in layout.fields:
        width = count_of(field.shape)
        if field.dtype == "f32":
            cells = np.array([line[at : at + width] for line in lines], np.float32)
            assert bits(cells) == bits(outputs[field.name])
        at += width


@every_case
def test_the_c_is_the_one_that_was_read(case: Case) -> None:
    assert case.source().code == text_of(case, "emitted.c"), AGAIN


@every_case
def test_sizes_are_what_they_were(case: Case) -> None:
    kept = json.loads(text_of(case, "sizes.json"))
    assert case.sizes() == {name: size for name, size in kept.items() if name != "cortex_m4"}, AGAIN


@pytest.mark.needs(*NEEDS)
@every_case
def test_a_cortex_m4_takes_as_much_as_it_took(case: Case) -> None:
    kept = json.loads(text_of(case, "sizes.json"))["cortex_m4"]
    if compiler() != kept["compiler"]:
        pytest.skip(f"sizes were taken with {kept['compiler']}, here is {compiler()}")
    assert on_cortex_m4(case) == kept, AGAIN
