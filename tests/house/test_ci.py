"""What continuous integration runs ends with the summary and with an honest status. With a pretended make."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.house import ROOT


def ci(folder: Path, make: str, unpack: str = "") -> subprocess.CompletedProcess[str]:
    """Run .ci/run in a checkout whose `make` and data beside it are pretended."""
    inside = folder / "checkout" / ".ci"
    inside.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", inside)
    (folder / "bin").mkdir()
    programs = {folder / "bin" / "make": make}
    if unpack:
        programs[folder / "shared" / "data" / "unpack"] = unpack
    for path, text in programs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
    world = {k: v for k, v in os.environ.items() if k not in {"CI", "BIMETAL_DATA"}}
    world["PATH"] = f"{folder / 'bin'}{os.pathsep}{world['PATH']}"
    return subprocess.run(
        ["bash", str(inside / "run")], env=world, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("make", "status", "last"),
    [
        ("echo '3 passed, 1 skipped in 0.10s'", 0, "3 passed, 1 skipped in 0.10s"),
        ("echo '1 failed, 2 passed in 3.2s'; echo Not good; exit 2", 2, "1 failed, 2 passed in 3.2s"),
        ("echo 'no network'; exit 2", 2, "no test ran to its end"),
    ],
)
def test_the_status_and_the_last_line_are_those_of_the_tests(
    make: str, status: int, last: str, tmp_path: Path
) -> None:
    done = ci(tmp_path, make)
    assert done.returncode == status
    assert done.stdout.splitlines()[-1] == last


def test_real_data_beside_the_checkout_is_handed_on(tmp_path: Path) -> None:
    done = ci(
        tmp_path, 'echo "data: $BIMETAL_DATA"', unpack=f"mkdir -p '{tmp_path}/sets'; echo '{tmp_path}/sets'"
    )
    assert f"data: {tmp_path}/sets" in done.stdout


def test_data_that_cannot_be_unpacked_stops_nothing(tmp_path: Path) -> None:
    done = ci(tmp_path, "echo '1 passed in 0.1s'", unpack="exit 1")
    assert done.returncode == 0
    assert "could not be unpacked" in done.stdout
