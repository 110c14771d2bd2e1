"""Other processors: emitted C tests itself on each, and every golden vector is equal in every bit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.agree.crossed import METALS, Metal, equal_vectors, undeclared, zig


@pytest.mark.slow
@pytest.mark.parametrize("metal", METALS, ids=lambda m: m.name)
def test_every_vector_is_equal(metal: Metal, tmp_path: Path) -> None:
    if not zig():
        pytest.skip("needs zig, from the PATH or by pip install ziglang")
    if metal.emulator and shutil.which(metal.emulator[0]) is None:
        pytest.skip(f"needs {metal.emulator[0]}, which is not installed here")
    found = equal_vectors(metal, few=True, folder=tmp_path)
    assert not undeclared(metal, found)
    assert len(found) > 10
    assert all(of >= 8 for _, of in found.values())
