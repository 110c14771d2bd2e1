"""What the tests of the commands share: one quiet model for all of a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.ground import trained


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of a quiet machine, quiet.csv, and the model learned from it, quiet.bm."""
    return trained(tmp_path_factory.mktemp("quiet")).parent
