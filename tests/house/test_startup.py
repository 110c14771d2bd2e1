"""Starting is cheap: counted in modules imported, which do not shake as seconds do."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bimetal.cli.door import COMMANDS

HEAVIEST = {"duckdb", "fsspec", "pyarrow", "starlette", "uvicorn", "wasmtime"}
HEAVY = HEAVIEST | {"numpy", "cryptography", "mqtt5", "paho", "asyncio", "sqlite3"}
PROGRAM = """
import json, sys
before = set(sys.modules)
try:
    {act}
except SystemExit:
    pass
print("\\n" + json.dumps(sorted(set(sys.modules) - before)))
"""
HELP = "import bimetal.cli; bimetal.cli.main({words!r})"
BUDGETS = {"import bimetal": 3, HELP.format(words=["--help"]): 150, HELP.format(words=["--version"]): 150}


def imported(act: str) -> set[str]:
    """The modules that an act imports in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(act=act)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("act", BUDGETS)
def test_starting_imports_little(act: str) -> None:
    found = imported(act)
    assert not found & HEAVY
    assert len(found) <= BUDGETS[act], f"{len(found)} modules: {sorted(found)}"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_imports_no_heavy_guest(command: str) -> None:
    assert not imported(HELP.format(words=[command, "--help"])) & HEAVIEST


def test_importing_the_package_does_no_work() -> None:
    act = (
        "import bimetal, socket, threading;"
        " socket.socket = threading.Thread.start = None;"
        " import bimetal.nouns, bimetal.program.program, bimetal.cli.door"
    )
    assert "bimetal.program.program" in imported(act)
