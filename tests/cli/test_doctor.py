"""`bimetal doctor`: what is here, what is missing, what is broken, and what would change that."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from bimetal.cli.toolbox import LocalTools
from tests.cli.ground import call, unprivileged


def test_all_is_well_here() -> None:
    ended = call("doctor")
    assert (ended.code, ended.err) == (0, "")
    assert "✗" not in ended.out
    assert ended.out.splitlines()[-1] == "Ready: try  bimetal sample -o plant.csv"


def test_a_missing_compiler_is_told_and_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalTools, "find", lambda *_: "")
    ended = call("doctor", "--json")
    found = {f["what"]: f for f in json.loads(ended.out)}
    assert (ended.code, found["target c99"]["state"]) == (0, "missing")
    assert found["target c99"]["change"]


def test_a_missing_package_is_broken_and_how_to_get_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "pyarrow":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    ended = call("doctor")
    assert ended.code == 1
    assert "✗ pyarrow" in ended.out
    assert "pip install pyarrow" in ended.out


def test_a_place_for_keys_that_is_closed_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIMETAL_HOME", "/proc/none/home")
    with unprivileged():
        ended = call("doctor")
    assert ended.code == 1
    assert "✗ signing key" in ended.out
    assert "Set BIMETAL_HOME to a folder of yours" in ended.out
