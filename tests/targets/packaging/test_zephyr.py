"""The Zephyr module, built with Zephyr itself and run on its emulated boards: make boards."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.targets.compiled import run
from tests.targets.packaging.given import told, written
from tests.targets.packaging.listen import heard

BOARDS = os.environ.get("ZEPHYR_BOARDS", "qemu_cortex_m3").split()
"""Emulated boards for which there is a compiler and what else Zephyr wants."""
LONGEST_S = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("west", "cmake", "ninja", "dtc"),
    pytest.mark.skipif(
        not os.environ.get("ZEPHYR_BASE"), reason="needs Zephyr: ZEPHYR_BASE, and a toolchain that it finds"
    ),
]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("which", ["plain", "odd"])
def test_the_sample_checks_itself_and_says_what_the_law_says(which: str, board: str, tmp_path: Path) -> None:
    sample = written("zephyr", which, tmp_path) / "samples" / "watch"
    said = heard_on(board, sample, r"(?m)^(energy|score) .*\n(.*\n){2}")
    assert "self-test: 0 of 12 vectors differ" in said, said[-3000:]
    lines = [line.split() for line in said.splitlines() if re.match("(energy|score) ", line)]
    assert lines[:2] == told(which, 40)[:2]


def test_a_vector_that_differs_is_seen_and_without_vectors_there_are_none(tmp_path: Path) -> None:
    folder = written("zephyr", "bare", tmp_path)
    sample, tests = folder / "samples" / "watch", folder / "src" / "plant_test.c"
    tests.write_text(re.sub(r"(everyday 1 \*/\n\d+, )(\w+)", r"\g<1>0x12345", tests.read_text(), count=1))
    assert "self-test: 1 of 12 vectors differ" in heard_on(BOARDS[0], sample, "differ")
    (sample / "prj.conf").write_text((sample / "prj.conf").read_text() + "CONFIG_BIMETAL_PLANT_VECTORS=n\n")
    assert "self-test: 0 of 0 vectors differ" in heard_on(BOARDS[0], sample, "differ")


def heard_on(board: str, sample: Path, until: str) -> str:
    """Build the sample for a board, run it there, and return what it prints."""
    run(["west", "build", "--board", board, "--pristine", "--build-dir", "build", str(sample)], sample)
    return heard(["west", "build", "--build-dir", "build", "--target", "run"], sample, until, LONGEST_S)
