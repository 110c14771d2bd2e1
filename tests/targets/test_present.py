"""Which targets there are, and which of them is taken."""

from __future__ import annotations

import pytest

from bimetal.targets import present
from bimetal.targets.present import every_target, fastest
from tests.targets.given import TOOLS


def test_the_law_leads_and_names_are_distinct() -> None:
    names = [t.name for t in every_target()]
    assert names[0] == "numpy"
    assert len(set(names)) == len(names)
    assert {"numpy", "wasm", "node", "c99"} <= set(names)


def test_without_tools_only_what_needs_none_is_present() -> None:
    assert {t.name for t in every_target() if not t.present()} <= {"numpy", "wasm"}


def test_what_is_missing_says_what_would_change_that() -> None:
    for target in every_target():
        said = target.present()
        assert not said or len(said.split()) >= 3
    assert all(t.present() for t in every_target() if t.name in ("node", "c99"))
    assert any(not t.present() for t in every_target(TOOLS))


def test_wasm_is_the_fastest_that_needs_nothing_and_numpy_is_always_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert fastest().name == "wasm"

    class Missing:
        """wasmtime is not installed."""

        name = "wasm"

        def present(self) -> str:
            """It is not there."""
            return "wasmtime cannot be used here"

    monkeypatch.setattr(present, "WasmTarget", Missing)
    assert fastest().name == "numpy"
