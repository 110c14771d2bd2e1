"""Gaps are declared for targets and programs that there are, and one that closes is seen."""

from __future__ import annotations

import re

from tests.agree.case import GROUPS, expected
from tests.agree.gap import GAPS, KINDS, undeclared
from tests.agree.metal import EVERYWHERE

EXPORTS = {"onnx", "litert"}


def test_gaps_are_of_targets_and_programs_that_there_are() -> None:
    names = {case.name for group in GROUPS for case in expected(group)[0]}
    assert {target for target, _ in GAPS} <= {m.name for m in EVERYWHERE} | EXPORTS
    assert {name for _, name in GAPS} <= names


def test_each_says_its_kind_what_is_said_and_why() -> None:
    for gap in GAPS.values():
        assert gap.kind in KINDS
        assert len(gap.says) > 4
        assert re.compile(gap.says)
        assert gap.because.endswith(".")


def test_what_is_declared_passes_and_all_else_does_not() -> None:
    (target, name), gap = next((key, gap) for key, gap in GAPS.items() if "\\" not in gap.says)
    assert not undeclared(target, {name: f"it says {gap.says} here", "another": ""})
    assert "closed" in undeclared(target, {name: ""})[name]
    assert "not the declared" in undeclared(target, {name: "something else"})[name]
    assert undeclared(target, {"another": "wrong"}) == {"another": "wrong"}
    assert undeclared("elsewhere", {name: gap.says}) == {name: gap.says}
