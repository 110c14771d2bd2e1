"""The wheel holds the package, its page and its licence, and nothing else."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench.house import PACKAGE, ROOT, python_files

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the tree as it is."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("needs the build backend hatchling, which is not installed here")
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture
def names(wheel: Path) -> set[str]:
    """What is in the wheel."""
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_every_module_and_says_it_is_typed(names: set[str]) -> None:
    modules = {f"bimetal/{f.relative_to(PACKAGE)}" for f in python_files(PACKAGE)}
    assert modules <= names
    assert "bimetal/py.typed" in names


def test_the_wheel_holds_the_page(names: set[str]) -> None:
    own = [f for f in (ROOT / "web").rglob("*") if f.is_file() and not f.name.startswith(".")]
    assert {f"bimetal/api/web/{f.relative_to(ROOT / 'web')}" for f in own} <= names


def test_the_wheel_holds_its_licence(names: set[str]) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_no_tests_and_no_data(names: set[str]) -> None:
    allowed = (
        ".py",
        ".typed",
        ".js",
        ".mjs",
        ".ts",
        ".css",
        ".html",
        ".svg",
        ".ico",
        ".webmanifest",
        ".txt",
        ".json",
        ".md",
        ".toml",
    )
    inside = {name for name in names if ".dist-info/" not in name}
    assert all(name.startswith("bimetal/") for name in inside)
    strange = {
        name
        for name in inside
        if not name.endswith(allowed) and not Path(name).name.startswith(("LICENSE", "."))
    }
    assert not strange
    assert not {name for name in inside if "/tests/" in name or Path(name).name.startswith("test_")}


def test_the_wheel_is_small_and_runs_on_every_platform(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < 2 * MEGABYTE
