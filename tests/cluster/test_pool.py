"""Pools: everything is done once for who asked, whatever dies on the way; without Ray it says so."""

from __future__ import annotations

import pytest

from bimetal.cluster import pool as module
from bimetal.cluster.pool import Here, OnRay, Pool
from bimetal.nouns.errors import Unsupported


def test_here_each_comes_with_its_place() -> None:
    pool: Pool = Here()
    assert list(pool.each(lambda one: one * 2, [5, 3])) == [(0, 10), (1, 6)]


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", absent)
    with pytest.raises(Unsupported, match="pip install ray"):
        list(OnRay().each(abs, [1]))
