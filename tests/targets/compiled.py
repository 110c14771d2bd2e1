"""Compilers, as the tests of this room use them: strictly, and with what they said when they refuse."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffp-contract=off", "-fno-math-errno")
LONGEST_S = 120


def run(command: Sequence[str], folder: Path, given: str = "") -> str:
    """Run a program in a folder and return what it prints; fails with what it said when it fails."""
    done = attempt(command, folder, given)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"[-3000:]
    return done.stdout


def attempt(command: Sequence[str], folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, whatever comes of it."""
    return subprocess.run(
        list(command), cwd=folder, input=given, capture_output=True, text=True, timeout=LONGEST_S, check=False
    )


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder
