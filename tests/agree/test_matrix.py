"""The matrix: every program on every machine gives the law's bits, results and state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.targets.agree import difference
from tests.agree.case import GROUPS, Case, by_run, expected, jobs
from tests.agree.compiled import MACHINES
from tests.agree.gap import GAPS
from tests.agree.machine import WASM, Machine, Outcome
from tests.agree.scripted import Node

EVERYWHERE: tuple[Machine, ...] = (WASM, Node(), *MACHINES)
every_machine = pytest.mark.parametrize(
    "machine", [pytest.param(m, id=m.name, marks=pytest.mark.needs(*m.needs)) for m in EVERYWHERE]
)


@every_machine
@pytest.mark.parametrize("group", GROUPS)
def test_every_program_gives_the_laws_bits(group: str, machine: Machine, tmp_path: Path) -> None:
    cases, wanted = expected(group)
    said = {case.name: machine.refusal(case.program) for case in cases}
    fit = [k for k, case in enumerate(cases) if not said[case.name]]
    said |= differences([cases[k] for k in fit], [wanted[k] for k in fit], machine, tmp_path)
    unexpected = {name: text for name, text in said.items() if not declared(machine, name, text)}
    assert not unexpected


def declared(machine: Machine, name: str, text: str) -> bool:
    """Say whether a gap is declared exactly where there is one."""
    gap = GAPS.get((machine.name, name))
    return not text if gap is None else re.search(gap.says, text) is not None


def differences(
    cases: Sequence[Case], wanted: Sequence[Sequence[Outcome]], machine: Machine, folder: Path
) -> dict[str, str]:
    """Return the first difference of each case in words, "" where there is none."""
    outcomes = machine.build([case.program for case in cases], folder).run(jobs(cases))
    flat = [outcome for of_case in wanted for outcome in of_case]
    found = dict.fromkeys((case.name for case in cases), "")
    for (case, run), outcome, right in zip(by_run(cases), outcomes, flat, strict=True):
        text = compared(case.program, outcome, right)
        if text and not found[case.name]:
            found[case.name] = f"{run.name}: {text}"
    return found


def compared(program: Program, outcome: Outcome, right: Outcome) -> str:
    """Return in words where an outcome differs from what is right, in any bit; "" where it does not."""
    row, text = difference(layout_of(program).output, outcome.outputs, right.outputs)
    if text:
        return f"row {row}: {text}"
    if list(outcome.fired) != list(right.fired):
        return "other clocks fired"
    return "" if outcome.state == right.state else "another state at the end"


def test_gaps_are_of_machines_and_programs_that_there_are() -> None:
    names = {case.name for group in GROUPS for case in expected(group)[0]}
    assert {machine for machine, _ in GAPS} <= {m.name for m in EVERYWHERE}
    assert {name for _, name in GAPS} <= names
    assert {gap.kind for gap in GAPS.values()} <= {"notimpl", "notyet", "never"}


def test_the_runs_reach_what_programs_say() -> None:
    """A comparison of zeros proves nothing: detectors are through with their warm-up, and have a score."""
    for case, outcomes in zip(*expected("detectors"), strict=True):
        for name in ("score", "share", "fault"):
            seen = {value for o in outcomes for value in o.outputs[name].reshape(-1).tolist()}
            assert len(seen) > 1, f"{case.name} always says the same {name}"
