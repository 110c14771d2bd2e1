"""LiteRT: in its interpreter every operator agrees with the law within the bound, or its gap is declared."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.targets import litert_graph
from bimetal.targets.litert import write_litert
from tests.agree.case import GROUPS, expected
from tests.agree.gap import undeclared
from tests.targets.exported import Call, played, states_in, verdict

interpreter = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="the package ai-edge-litert is not installed here"
)


def play(model: bytes) -> tuple[Call, dict[str, Any], dict[str, Any]]:
    """Load a model in LiteRT's interpreter."""
    machine = interpreter.Interpreter(model_content=model, num_threads=1)
    machine.allocate_tensors()
    run = machine.get_signature_runner(litert_graph.SIGNATURE)
    types = {name: form["dtype"] for name, form in run.get_input_details().items()}
    return lambda given: run(**given), types, states_in(note(model, b"bimetal.states"))


def note(model: bytes, name: bytes) -> str:
    """Return what is said beside a model."""
    read = litert_graph.schema().Model.GetRootAs(model, 0)
    found = [read.Metadata(k) for k in range(read.MetadataLength()) if read.Metadata(k).Name() == name]
    return bytes(read.Buffers(found[0].Buffer()).DataAsNumpy()).decode()


@pytest.mark.parametrize("group", GROUPS)
def test_every_program_agrees_within_the_bound_or_its_gap_is_declared(group: str) -> None:
    said = {case.name: verdict(case, write_litert, play) for case in expected(group)[0]}
    assert not undeclared("litert", said)


def evaluate(x: np.ndarray, make: Any) -> np.ndarray:
    """Return what a function of one vector of whole numbers gives."""
    draft = Draft("one")
    draft.output("y", make(draft.input("x", "i32", x.shape)))
    program = draft.finish()
    rows = np.zeros(1, layout_of(program).input.dtype)
    rows["x"] = x
    return played(write_litert(program, pack(program, {})), play, program, rows)["y"][0]


def whole(seed: int) -> np.ndarray:
    """Whole numbers of 32 bits, the extremes first."""
    rng = np.random.default_rng(seed)
    ends = [-(2**31), -(2**31) + 1, -(2**30), -1, 0, 1, 2**30, 2**31 - 1]
    return np.concatenate([ends, rng.integers(-(2**31), 2**31, 300)]).astype(np.int32)


@pytest.mark.parametrize("by", [0, 1, 7, 16, 30, 31])
def test_shifts_keep_or_lose_bits_as_registers_do(by: int) -> None:
    x = whole(by)
    assert list(evaluate(x, lambda n: letter.shr(n, by))) == list(x >> by)
    assert list(evaluate(x, lambda n: letter.shl(n, by))) == list(np.left_shift(x, np.int32(by)))


def test_bits_of_two_numbers_are_found_with_one_operator_for_bits() -> None:
    x, y = whole(1), whole(2)[::-1].copy()
    assert list(evaluate(x, lambda n: letter.band(n, letter.const(y, "i32")))) == list(x & y)
    assert list(evaluate(x, lambda n: letter.bor(n, letter.const(y, "i32")))) == list(x | y)


SCALES = ((32767, 15), (-3, 1), (2**31 - 1, 40), (2**31 - 1, 50), (2**31 - 1, 62))


def test_products_over_64_bits_are_rounded_as_the_law_rounds() -> None:
    def of(n: Node) -> Node:
        small = letter.shr(n, 8)
        return letter.stack([letter.mulshr(small, letter.const(k, "i32"), by) for k, by in SCALES])

    x = whole(3)
    wide = (x >> 8).astype(np.int64)
    assert evaluate(x, of).tolist() == [((wide * k + (1 << (by - 1))) >> by).tolist() for k, by in SCALES]


def test_a_program_that_would_be_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litert_graph, "MOST_OPERATORS", 50)
    draft = Draft("long")
    x = draft.input("x")
    draft.output("y", letter.scan(60, [x], lambda held, _: [letter.mul(held[0], 0.5)])[0])
    with pytest.raises(Unsupported, match="more than 50 operators"):
        write_litert(draft.finish(), pack(draft.finish(), {}))


def test_a_block_of_another_program_is_refused() -> None:
    draft = Draft("one")
    draft.output("y", letter.mul(draft.input("x"), draft.param("k", 2.0)))
    with pytest.raises(BadInput):
        write_litert(draft.finish(), b"BMP1")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft("one")
    draft.output("y", draft.input("x"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unsupported, match="ai-edge-litert is missing") as error:
        write_litert(draft.finish(), pack(draft.finish(), {}))
    assert error.value.hint == "pip install bimetal[litert]"
