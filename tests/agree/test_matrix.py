"""The matrix: every program on every machine gives the law's bits, results and state."""

from __future__ import annotations

import numpy as np
import pytest

from tests.agree.case import GROUPS, expected
from tests.agree.machine import Machine
from tests.agree.metal import CROSSED, EVERYWHERE
from tests.agree.proof import Verdict, prove


def tried(machine: Machine) -> object:
    """A machine, skipped where its tools are absent; those that take long are marked."""
    slow = (pytest.mark.slow,) if machine in CROSSED else ()
    return pytest.param(machine, id=machine.name, marks=(pytest.mark.needs(*machine.needs), *slow))


@pytest.mark.parametrize("machine", [tried(m) for m in EVERYWHERE])
@pytest.mark.parametrize("group", GROUPS)
def test_every_program_gives_the_laws_bits(group: str, machine: Machine) -> None:
    found = Verdict(machine.name)
    prove(machine, *expected(group), found)
    assert not found.wrong
    assert found.programs > 3


def test_the_runs_reach_what_programs_say() -> None:
    """A comparison of zeros proves nothing: detectors are through with their warm-up, and have a score."""
    for case, outcomes in zip(*expected("detectors"), strict=True):
        for name in ("score", "share", "fault"):
            seen = {value for o in outcomes for value in o.outputs[name].reshape(-1).tolist()}
            assert len(seen) > 1, f"{case.name} always says the same {name}"


def test_learned_programs_vote_otherwise_and_saturate() -> None:
    """Forests that always say the same, or nets that never reach an end, would prove little."""
    cases, wanted = expected("learned")
    votes = nets = set[tuple[float, ...]]()
    for case, outcomes in zip(cases, wanted, strict=True):
        for name, _ in case.program.outputs:
            seen = {tuple(row.reshape(-1).tolist()) for o in outcomes for row in o.outputs[name]}
            votes, nets = (votes | seen, nets) if name.endswith("votes") else (votes, nets | seen)
    assert len(votes) > 20
    assert len(nets) > 50
    assert {127, -127} & {value for row in nets for value in row}
    assert sum(len(case.program.clocks) > 2 for case in cases) > 2


def test_windows_of_vibration_are_judged_otherwise() -> None:
    """Windows that all say the same would prove little: scores differ, and so does the part that wins."""
    for case, outcomes in zip(*expected("vibration"), strict=True):
        told = [o.outputs[o.fired == o.fired.max()] for o in outcomes]
        assert [len(t) for t in told] == [2, 2, 1], case.name
        every = np.concatenate(told)
        assert len(np.unique(every["score"])) == len(every)
        assert len(set(every["parts"].argmax(axis=1).tolist())) > 1
