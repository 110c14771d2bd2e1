"""The floors hold, and a fault planted in any contract turns it red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.house import PACKAGE, ROOT

FLOORS = "Floors: a room leans only on rooms below it"
GROUND = "No clock, socket or disk on the ground floors"
KNOTS = "No knots inside a room either"

FAULTS = [
    (FLOORS, {"nouns/planted.py": "import bimetal.program"}),
    (FLOORS, {"program/planted.py": "from bimetal.targets import kernels"}),
    (FLOORS, {"learn/planted.py": "import bimetal.trust.key"}),
    (FLOORS, {"wire/planted.py": "import bimetal.keep"}),
    (FLOORS, {"trust/planted.py": "def late():\n    import bimetal.cli.door"}),
    (FLOORS, {"api/planted.py": "import bimetal.cli"}),
    ("Operators know neither each other nor any target", {
        "program/operators/planted.py": "import bimetal.program.operators.planted_too",
        "program/operators/planted_too.py": "",
    }),
    ("Transports know nothing of each other", {
        "wire/transports/planted.py": "import bimetal.wire.transports.planted_too",
        "wire/transports/planted_too.py": "",
    }),
    ("Codecs know nothing of each other", {
        "wire/codecs/planted.py": "import bimetal.wire.codecs.planted_too",
        "wire/codecs/planted_too.py": "",
    }),
    ("Learners know nothing of each other", {
        "learn/learners/planted.py": "import bimetal.learn.learners.planted_too",
        "learn/learners/planted_too.py": "",
    }),
    ("Channels know nothing of each other", {
        "tell/channels/planted.py": "import bimetal.tell.channels.planted_too",
        "tell/channels/planted_too.py": "",
    }),
    *((GROUND, {f"{room}/planted.py": f"import {guest}"}) for room, guest in (
        ("nouns", "time"), ("program", "socket"), ("targets", "pathlib"), ("program", "random"),
        ("nouns", "asyncio"),
    )),
    (KNOTS, {
        "stream/planted.py": "import bimetal.stream.planted_too",
        "stream/planted_too.py": "import bimetal.stream.planted",
    }),
]  # fmt: skip


def protected() -> list[tuple[str, str]]:
    """Each contract that keeps a guest in one room, with that guest, as pyproject.toml has them."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return [
        (c["name"], g) for c in tool["contracts"] if c["type"] == "protected" for g in c["protected_modules"]
    ]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, to plant faults in."""
    shutil.copytree(PACKAGE, tmp_path / "src" / "bimetal", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> tuple[int, str]:
    """Check the contracts of a copy; return the exit status and what was said."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--cache-dir",
            str(folder.parent / "graph"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def plant(folder: Path, files: dict[str, str]) -> None:
    """Write modules into the copy."""
    for name, text in files.items():
        file = folder / "src" / "bimetal" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'"""Planted."""\n\n{text}\n', encoding="utf-8")


def test_the_tree_as_it_is_keeps_every_contract(copy: Path) -> None:
    status, said = lint(copy)
    assert status == 0, said


@pytest.mark.parametrize(("contract", "files"), FAULTS)
def test_a_planted_fault_breaks_its_contract(contract: str, files: dict[str, str], copy: Path) -> None:
    plant(copy, files)
    status, said = lint(copy)
    assert status == 1, said
    assert f"{contract} BROKEN" in said


@pytest.mark.parametrize(("contract", "guest"), protected())
def test_a_heavy_guest_stays_in_its_room(contract: str, guest: str, copy: Path) -> None:
    plant(copy, {"fleet/planted.py": f"import {guest}"})
    status, said = lint(copy)
    assert status == 1, said
    assert f"{contract} BROKEN" in said


def test_a_room_nobody_declared_stops_the_build(copy: Path) -> None:
    plant(copy, {"cellar/__init__.py": ""})
    status, said = lint(copy)
    assert status == 1, said
    assert "cellar" in said


def test_a_contract_taken_away_is_missed() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    named = {c["name"] for c in tool["contracts"]}
    assert {contract for contract, _ in FAULTS} <= named
    assert all("ignore_imports" not in c for c in tool["contracts"]), (
        "an exception would be a hole in the floor"
    )
