"""Proof: what a machine makes of programs, held to the law bit by bit."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.targets.agree import difference
from tests.agree.case import Case, Run, by_run, jobs
from tests.agree.gap import GAPS, undeclared
from tests.agree.machine import Machine, Outcome

Different = tuple[Case, Run, str]


@dataclass(slots=True)
class Verdict:
    """What came of a machine: programs, their runs, how many of these are equal in every bit.

    `gaps` and `wrong` are by program, in words; a program with a gap counts as a program, and its runs as
    runs that are not equal.
    """

    target: str
    absent: str = ""
    programs: int = 0
    runs: int = 0
    equal: int = 0
    gaps: dict[str, str] = field(default_factory=dict[str, str])
    wrong: dict[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether every program that was run is equal in every bit, without a gap."""
        return bool(self.runs) and self.equal == self.runs and not self.wrong


def prove(
    machine: Machine, cases: Sequence[Case], wanted: Sequence[Sequence[Outcome]], into: Verdict
) -> None:
    """Run programs on a machine and add to its verdict what comes of them."""
    begin = time.monotonic()
    said = {case.name: machine.refusal(case.program) for case in cases}
    fit = [k for k, case in enumerate(cases) if not said[case.name]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = results([cases[k] for k in fit], [wanted[k] for k in fit], machine, Path(folder))
    into.programs += len(cases)
    into.runs += sum(len(case.runs) for case in cases)
    into.equal += sum(not text for _, _, text in found)
    said |= first_of(found)
    into.wrong |= undeclared(machine.name, said)
    into.gaps |= {name: said[name] for name in said if said[name] and (machine.name, name) in GAPS}
    into.seconds += time.monotonic() - begin


def results(
    cases: Sequence[Case], wanted: Sequence[Sequence[Outcome]], machine: Machine, folder: Path
) -> list[Different]:
    """Return for every run of every case where it first differs, "" where it does not."""
    if not cases:
        return []
    outcomes = machine.build([case.program for case in cases], folder).run(jobs(cases))
    flat = [outcome for of_case in wanted for outcome in of_case]
    return [
        (case, run, compared(case.program, outcome, right))
        for (case, run), outcome, right in zip(by_run(cases), outcomes, flat, strict=True)
    ]


def first_of(found: Sequence[Different]) -> dict[str, str]:
    """Return the first difference of each case in words, "" where there is none."""
    said: dict[str, str] = {}
    for case, run, text in found:
        said[case.name] = said.get(case.name) or (f"{run.name}: {text}" if text else "")
    return said


def differences(
    cases: Sequence[Case], wanted: Sequence[Sequence[Outcome]], machine: Machine, folder: Path
) -> dict[str, str]:
    """Return the first difference of each case in words, "" where there is none."""
    return first_of(results(cases, wanted, machine, folder))


def compared(program: Program, outcome: Outcome, right: Outcome) -> str:
    """Return in words where an outcome differs from what is right, in any bit; "" where it does not."""
    row, text = difference(layout_of(program).output, outcome.outputs, right.outputs)
    if text:
        return f"row {row}: {text}"
    if list(outcome.fired) != list(right.fired):
        return "other clocks fired"
    return "" if outcome.state == right.state else "another state at the end"
