"""Faults are planted into the lowering and the targets; the comparison must see every one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimetal.targets import c99, c99_scalar, element, join, lower, order, wasm_code, wasm_run, weave
from tests.agree.case import expected
from tests.agree.compiled import emitted
from tests.agree.machine import LAW, WASM, Machine, Outcome
from tests.agree.metal import BOARDS, C99
from tests.agree.proof import compared, differences
from tests.agree.scripted import module_of

Plant = Callable[[pytest.MonkeyPatch], None]


def forget() -> None:
    """Forget what was emitted and compiled."""
    for kept in (emitted, module_of, wasm_run.compiled_module):
        kept.cache_clear()


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """What was emitted before a fault was planted is forgotten, and what was emitted with it too."""
    forget()
    yield
    forget()


def shared_memory(patch: pytest.MonkeyPatch) -> None:
    """Every scratch buffer lies at the same place."""
    arrange = lower.arrange
    patch.setattr(lower, "arrange", lambda body: (dict.fromkeys(arrange(body)[0], 0), arrange(body)[1]))


def written_too_early(patch: pytest.MonkeyPatch) -> None:
    """States are overwritten while others still read them."""
    sequence = order.sequence

    def early(units: list[Any], position: Any) -> list[Any]:
        found = sequence(units, position)
        for unit in found:
            unit.late.clear()
        return found

    patch.setattr(weave, "sequence", early)


def started_from_zero(patch: pytest.MonkeyPatch) -> None:
    """A sum starts from 0.0, which makes 0.0 of -0.0."""
    start_of = element.start_of
    patch.setattr(
        element, "start_of", lambda how, *rest: (0.0, True) if how == "add" else start_of(how, *rest)
    )


def unsigned_bytes(patch: pytest.MonkeyPatch) -> None:
    """i8 is read as if it were u8."""
    patch.setitem(wasm_code.LOADS, "i8", wasm_code.LOADS["u8"])


def joined_blindly(patch: pytest.MonkeyPatch) -> None:
    """Loops are joined whatever other turns write."""
    patch.setattr(join, "apart_in_turns", lambda first, second: True)


def in_function(name: str, right: str, wrong: str) -> Plant:
    """Emitted C has another text in one of its functions."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        text = c99_scalar.FUNCTIONS[name]
        assert right in text
        patch.setitem(c99_scalar.FUNCTIONS, name, text.replace(right, wrong))

    return plant


def not_cleared(patch: pytest.MonkeyPatch) -> None:
    """What did not fire leaves in place what was there."""
    patch.setattr(c99, "_cleared", lambda field: "")


PLANTS: dict[str, tuple[Machine, Plant]] = {
    "shared memory": (WASM, shared_memory),
    "written too early": (WASM, written_too_early),
    "started from zero": (WASM, started_from_zero),
    "unsigned bytes": (WASM, unsigned_bytes),
    "joined blindly": (WASM, joined_blindly),
    "NaN as it comes": (C99, in_function("f32_canonical", "bits = UINT32_C(0x7fc00000)", "bits += 0u")),
    "the other of two": (C99, in_function("f32_max", "is_so(a < b) ? b : a", "a > b ? a : b")),
    "the other least": (C99, in_function("f32_min", "is_so(b < a) ? b : a", "a < b ? a : b")),
    "cut off": (C99, in_function("i32_mulshr", " + ((int64_t)1 << (by - 1))", "")),
    "toward zero": (C99, in_function("i32_shr", "a < 0 ? ~(~a >> by) : a >> by", "a / (1 << by)")),
    "root of one bit less": (
        C99,
        in_function("f32_sqrt", "return sqrtf(a);", "return sqrtf(a) * 1.0000001f;"),
    ),
    "not cleared": (C99, not_cleared),
}
"""Faults, and a machine that shows them."""


@pytest.mark.parametrize(
    "plant", [pytest.param(k, id=k, marks=pytest.mark.needs(*m.needs)) for k, (m, _) in PLANTS.items()]
)
def test_a_planted_fault_is_seen(plant: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cases, wanted = expected("odd")
    machine, change = PLANTS[plant]
    (tmp_path / "whole").mkdir()
    assert not any(differences(cases, wanted, machine, tmp_path / "whole").values())
    forget()
    change(monkeypatch)
    (tmp_path / "planted").mkdir()
    assert any(differences(cases, wanted, machine, tmp_path / "planted").values())


BOARD = next(m for m in BOARDS if m.name == "cortex-m4f")


@pytest.mark.needs(*BOARD.needs)
def test_contraction_is_seen_and_the_emitted_pragma_forbids_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cases, wanted = expected("odd")
    at = [k for k, case in enumerate(cases) if case.name == "fractions"]
    fused = replace(BOARD, options=(*BOARD.options, "-O2"), contract="fast")
    one = [cases[k] for k in at], [wanted[k] for k in at]
    (tmp_path / "kept").mkdir()
    assert not any(differences(*one, fused, tmp_path / "kept").values())
    monkeypatch.setattr(c99, "OPEN", "")
    forget()
    (tmp_path / "without").mkdir()
    said = differences(*one, fused, tmp_path / "without")["fractions"]
    assert re.search(r"row \d+: (fused|root)", said)


def test_one_wrong_bit_is_seen() -> None:
    cases, wanted = expected("odd")
    for case, outcomes in zip(cases, wanted, strict=True):
        right = outcomes[0]
        for name, _ in case.program.outputs:
            outputs = right.outputs.copy()
            last = outputs[name][-1:].copy()
            last.view(np.uint8).reshape(-1)[-1] ^= 1
            outputs[name][-1:] = last
            text = compared(case.program, Outcome(outputs, right.fired, right.state), right)
            assert name in text
            assert f"row {len(outputs) - 1}" in text
        fired = right.fired.copy()
        fired[3] ^= 1
        assert compared(case.program, Outcome(right.outputs, fired, right.state), right)
        for k in range(len(right.state)):
            state = bytearray(right.state)
            state[k] ^= 0x80
            assert compared(case.program, Outcome(right.outputs, right.fired, bytes(state)), right)


def test_the_law_agrees_with_itself(tmp_path: Path) -> None:
    assert not any(differences(*expected("odd"), LAW, tmp_path).values())
