"""Shared ground of all tests: real data, outside programs, and how hard to search for counterexamples."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# Before NumPy is imported: as in the commands, or its threads wait busily for cores that other tests need.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("search", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks this project uses."""
    config.addinivalue_line(
        "markers", "needs(*programs): skipped with a clear word where a program is absent"
    )
    config.addinivalue_line("markers", "slow: takes more than about five seconds; left out by -m 'not slow'")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose outside programs are not here."""
    for mark in item.iter_markers("needs"):
        absent = [name for name in mark.args if shutil.which(name) is None]
        if absent:
            pytest.skip(f"needs {', '.join(absent)}, which is not installed here")


@pytest.fixture(scope="session")
def data() -> Callable[..., Path]:
    """Find real data: `data("skab", "valve1", "0.csv")` is a path, or the test is skipped and says why."""

    def find(name: str, *parts: str) -> Path:
        path = data_folder().joinpath(name, *parts)
        if not path.exists():
            pytest.skip(f"needs the real data set {name} ({'/'.join((name, *parts))} under $BIMETAL_DATA)")
        return path

    return find


def data_folder() -> Path:
    """$BIMETAL_DATA, or bimetal-data in the user's cache; it need not exist."""
    named = os.environ.get("BIMETAL_DATA")
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(cache) if cache else Path.home() / ".cache") / "bimetal-data"


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep keys made by tests out of the user's own configuration."""
    before = os.environ.get("BIMETAL_HOME")
    folder = tmp_path_factory.mktemp("home")
    os.environ["BIMETAL_HOME"] = str(folder)
    yield folder
    if before is None:
        os.environ.pop("BIMETAL_HOME", None)
    else:
        os.environ["BIMETAL_HOME"] = before
