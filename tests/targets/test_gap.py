"""Gaps are declared for what there is, in one of three ways."""

from __future__ import annotations

from tests.agree.case import GROUPS, expected
from tests.targets.gap import GAPS


def test_gaps_are_of_formats_and_programs_that_there_are() -> None:
    names = {case.name for group in GROUPS if "operators" in group for case in expected(group)[0]}
    assert {form for form, _ in GAPS} <= {"onnx", "litert"}
    assert {name for _, name in GAPS} <= names
    assert {gap.kind for gap in GAPS.values()} <= {"notimpl", "notyet", "never"}
