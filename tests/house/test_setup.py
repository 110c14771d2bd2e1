"""Set-up installs once, again when it must, and says what to do when it cannot. With a pretended Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.house import ROOT

PRETENDED = """#!/bin/sh
case "$*" in
  --version) echo "Python ${VERSION:-3.11.2}" ;;
  "-c import sys"*) [ "${OLD:-}" = "" ] ;;
  "-c import venv"*) [ "${NO_VENV:-}" = "" ] ;;
  "-m pip --version") ;;
  "-m venv --clear "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
  "-m pip install "*) [ "${NO_NETWORK:-}" = "" ] || { echo "no route" >&2; exit 1; }
     for last; do :; done; echo "$last" >>installed ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the set-up, the list of packages and a pretended Python."""
    shutil.copy(ROOT / ".ci" / "setup", tmp_path / "setup")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    python = tmp_path / "python"
    python.write_text(PRETENDED, encoding="utf-8")
    python.chmod(0o755)
    return tmp_path


def setup(checkout: Path, what: str = "run", **world: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up in a checkout, in a world where some things are amiss."""
    return subprocess.run(
        ["sh", "./setup", "venv", what, "./python"],
        cwd=checkout,
        env={**os.environ, **world},
        capture_output=True,
        text=True,
        check=False,
    )


def installed(checkout: Path) -> list[str]:
    """What was installed, in order."""
    record = checkout / "installed"
    return record.read_text(encoding="utf-8").split() if record.exists() else []


def test_it_installs_once_and_needs_no_network_afterwards(checkout: Path) -> None:
    assert setup(checkout).returncode == 0
    again = setup(checkout, NO_NETWORK="1")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert installed(checkout) == ["."]


def test_what_serves_to_work_serves_to_run(checkout: Path) -> None:
    assert setup(checkout, "work").returncode == 0
    assert setup(checkout, "run").returncode == 0
    assert installed(checkout) == [".[test,docs]"]
    assert setup(checkout, "elsewhere").returncode == 2


def test_running_does_not_serve_to_work(checkout: Path) -> None:
    assert setup(checkout, "run").returncode == 0
    assert setup(checkout, "work").returncode == 0
    assert installed(checkout) == [".", ".[test,docs]"]


def test_another_list_of_packages_installs_again_and_another_line_length_does_not(checkout: Path) -> None:
    project = checkout / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    setup(checkout)
    project.write_text(text.replace("line-length = 110", "line-length = 100"), encoding="utf-8")
    setup(checkout)
    assert installed(checkout) == ["."]
    project.write_text(text.replace('"numpy>=', '"numpy>='.replace("numpy", "numpi")), encoding="utf-8")
    setup(checkout)
    assert installed(checkout) == [".", "."]


def test_a_failed_installation_is_said_and_tried_again(checkout: Path) -> None:
    failed = setup(checkout, NO_NETWORK="1")
    assert failed.returncode == 1
    assert "packages could not be installed" in failed.stderr
    assert "Try: run the same command again" in failed.stderr
    assert setup(checkout).returncode == 0
    assert installed(checkout) == ["."]


@pytest.mark.parametrize(
    ("world", "said", "hint"),
    [
        (
            {"OLD": "1", "VERSION": "3.10.4"},
            "Python 3.10.4, and bimetal needs Python 3.11",
            "make PYTHON=python3.12",
        ),
        ({"NO_VENV": "1"}, "cannot make virtual environments", "apt-get install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_said(
    world: dict[str, str], said: str, hint: str, checkout: Path
) -> None:
    failed = setup(checkout, **world)
    assert failed.returncode == 1
    assert said in failed.stderr
    assert hint in failed.stderr
    assert not installed(checkout)


def test_no_python_at_all_is_said(checkout: Path) -> None:
    (checkout / "python").unlink()
    failed = setup(checkout)
    assert failed.returncode == 1
    assert "there is no ./python here" in failed.stderr


def test_a_virtual_environment_of_another_python_is_noted(checkout: Path) -> None:
    setup(checkout)
    noted = setup(checkout / ".", VERSION="3.11.2")
    assert noted.stderr == ""
    (checkout / "python").write_text(PRETENDED.replace("3.11.2", "3.12.1"), encoding="utf-8")
    assert "made with another Python" in setup(checkout).stderr
