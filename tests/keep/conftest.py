"""The peers that several tests of this room start once: see peers.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keep import peers


@pytest.fixture(scope="session")
def pg() -> Iterator[peers.Postgres]:
    """A PostgreSQL server."""
    with peers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[peers.Buckets]:
    """An S3 server."""
    with peers.buckets() as server:
        yield server


@pytest.fixture
def shared(
    pg: peers.Postgres, s3: peers.Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> peers.Shared:
    """Segments in a bucket and their catalog in a database, both new, for folders that share them."""
    for name, value in peers.environment(s3).items():
        monkeypatch.setenv(name, value)
    return peers.Shared(tmp_path, pg.database(), s3.bucket(), s3)
