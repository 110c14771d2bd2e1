"""`make` alone prints what there is, one line each, and leaves nothing out."""

from __future__ import annotations

import re
import subprocess

import pytest

from bench.house import ROOT


@pytest.mark.needs("make")
def test_make_prints_every_target_with_its_line() -> None:
    done = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory"], capture_output=True, text=True, check=True
    )
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert targets
    for target in targets[1].split():
        line = re.search(rf"^  make {target} +(\S.*)$", done.stdout, re.MULTILINE)
        assert line, f"make {target} has no description"
        assert len(line[0]) <= 110


@pytest.mark.needs("make")
def test_the_check_of_everything_ends_with_its_status() -> None:
    command = ["make", "-C", str(ROOT), "-n", "--no-print-directory", "test"]
    planned = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "exit 1" in planned
    for step in ("ruff check", "lint-imports", "basedpyright", "pytest"):
        assert step in planned
