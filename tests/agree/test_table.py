"""The table says what is so, as lines and as JSON, and the exit status follows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.agree import __main__ as door
from tests.agree.case import expected
from tests.agree.gap import GAPS
from tests.agree.machine import LAW, WASM
from tests.agree.odd_program import ODD
from tests.agree.proof import Verdict
from tests.agree.table import as_json, line, summary, travel
from tests.agree.test_planted import PLANTS, anew

__all__ = ["anew"]


@pytest.fixture(autouse=True)
def two_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what needs no process of its own."""
    monkeypatch.setattr(door, "EVERYWHERE", (LAW, WASM))
    monkeypatch.setattr(door, "SHORT", {"wasm"})


def test_one_line_for_each_target_and_a_sentence() -> None:
    done = CliRunner().invoke(door.main, ["--group", "odd"])
    assert done.exit_code == 0, done.output
    rows = [text.split() for text in done.stdout.splitlines()]
    assert rows[0] == ["target", "programs", "runs", "equal", "gaps", "seconds"]
    few = expected("odd")[0][:: door.THIRD]
    runs = str(sum(len(case.runs) for case in few))
    assert rows[1][:5] == ["wasm", str(len(few)), runs, runs, "0"]
    assert "1 of 1 targets" in done.stdout
    assert "devices moved through 1 targets" in done.stdout


def test_all_are_every_target_and_every_program(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    done = CliRunner().invoke(door.main, ["--all", "--group", "odd", "--json", str(file)])
    assert done.exit_code == 0, done.output
    table = json.loads(file.read_text())
    assert [t["target"] for t in table["targets"]] == ["numpy", "wasm"]
    assert all(t["programs"] == len(ODD) and t["equal"] == t["runs"] > 100 for t in table["targets"])
    assert table["whole"] == 2
    assert not table["moved"]["wrong"]


def test_json_alone_on_standard_output() -> None:
    done = CliRunner().invoke(door.main, ["wasm", "--group", "odd", "--json", "-"])
    assert json.loads(done.stdout)["wrong"] == 0


def test_a_fault_is_shown_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTS["unsigned bytes"][1](monkeypatch)
    done = CliRunner().invoke(door.main, ["--all", "--group", "odd"])
    assert done.exit_code == 1
    assert "whole_numbers: " in done.stdout
    assert "WRONG" in done.stdout


def test_a_machine_that_fails_altogether_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the compiler fell over")

    monkeypatch.setattr(door, "prove", fail)
    done = CliRunner().invoke(door.main, ["--group", "odd"])
    assert done.exit_code == 1
    assert "odd: the compiler fell over" in done.stdout


def test_a_target_that_is_unknown_is_refused() -> None:
    done = CliRunner().invoke(door.main, ["vax"])
    assert done.exit_code == 2
    assert "there are numpy, wasm" in done.output


def test_what_is_absent_says_what_it_needs_and_counts_for_nothing() -> None:
    absent, whole = Verdict("vax", "needs vax-gcc"), Verdict("wasm", "", 3, 9, 9)
    assert "needs vax-gcc" in line(absent)
    assert summary([absent, whole]).startswith("1 of 1 targets")
    assert as_json([absent, whole], {})["whole"] == 1


def test_gaps_carry_their_kind_and_reason() -> None:
    (target, name), declared = next(iter(GAPS.items()))
    found = Verdict(target, "", 1, 9, 0, gaps={name: "no room"})
    (shown,) = as_json([found], {})["targets"][0]["gaps"]
    assert shown == {"program": name, "kind": declared.kind, "said": "no room", "because": declared.because}
    assert "1 declared gaps" in summary([found])
    assert "WRONG" in travel([LAW], {"swapped": "row 3"})
