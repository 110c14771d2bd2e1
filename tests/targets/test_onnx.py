"""ONNX: in onnxruntime every operator agrees with the law within the bound, or its gap is declared."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.targets.onnx import write_onnx
from tests.agree.case import GROUPS, expected
from tests.agree.gap import undeclared
from tests.targets.exported import Arrays, Call, played, states_in, verdict

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed here")
onnxruntime = pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed here")
TYPES = {
    "float": np.float32,
    "bool": np.bool_,
    **{f"int{k}": f"i{k // 8}" for k in (8, 16, 32)},
    "uint8": "u1",
}


def play(model: bytes) -> tuple[Call, dict[str, Any], dict[str, Any]]:
    """Load a model in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    types = {i.name: TYPES[i.type[7:-1]] for i in session.get_inputs()}

    def call(given: Arrays) -> Arrays:
        return dict(zip(names, session.run(None, given), strict=True))

    return call, types, states_in(session.get_modelmeta().custom_metadata_map["bimetal.states"])


@pytest.mark.parametrize("group", GROUPS)
def test_every_program_agrees_within_the_bound_or_its_gap_is_declared(group: str) -> None:
    said = {case.name: verdict(case, write_onnx, play) for case in expected(group)[0]}
    assert not undeclared("onnx", said)


def evaluate(x: np.ndarray, make: Any) -> np.ndarray:
    """Return what a function of one vector gives in onnxruntime."""
    draft = Draft("one")
    kind = "f32" if x.dtype == np.float32 else "i32"
    draft.output("y", make(draft.input("x", kind, x.shape)))
    program = draft.finish()
    rows = np.zeros(1, layout_of(program).input.dtype)
    rows["x"] = x
    return played(write_onnx(program, pack(program, {})), play, program, rows)["y"][0]


LOWEST = -(2**31)
"""The bits of -0.0, whose sign onnxruntime's Where loses."""
ODD_BITS = [0, 1, 0x7FFFFF, 0x800000, 0x3F800000, 0x3FFFFFFF, 0x7F7FFFFF, 0x7F800000, 0x00000003, 0x34000000]


def test_the_bits_of_a_number_are_found_without_an_operator_for_it() -> None:
    rng = np.random.default_rng(0)
    some = np.concatenate([ODD_BITS, rng.integers(0, 0x7F800000, 3000)]).astype(np.uint32)
    bits = np.concatenate([some, some | np.uint32(1 << 31)]).view(np.int32)
    found = evaluate(bits.view(np.float32), lambda n: letter.bits(word.otherwise(n, 0)))
    assert list(found[bits != LOWEST]) == list(bits[bits != LOWEST])
    back = evaluate(bits, letter.bits).view(np.int32)
    assert list(back[bits != LOWEST]) == list(bits[bits != LOWEST])
    assert np.isnan(evaluate(np.array([0x7FC00000, -1], np.int32), letter.bits)).all()


def test_the_bits_of_positive_numbers_take_a_shorter_way() -> None:
    bits = np.random.default_rng(0).integers(0x800000, 0x7F7FFFFF, 3000).astype(np.int32)
    kept = evaluate(bits.view(np.float32), lambda n: letter.bits(word.clip(n, 2.0**-126, 3.4e38)))
    small = bits < np.float32(3.4e38).view(np.int32)
    assert list(kept[small]) == list(bits[small])


@pytest.mark.parametrize("by", [0, 1, 7, 16, 30, 31])
def test_shifts_keep_or_lose_bits_as_registers_do(by: int) -> None:
    rng = np.random.default_rng(by)
    x = np.concatenate([[-(2**31), -1, 0, 1, 2**31 - 1], rng.integers(-(2**31), 2**31, 200)]).astype(np.int32)
    assert list(evaluate(x, lambda n: letter.shr(n, by))) == list(x >> by)
    assert list(evaluate(x, lambda n: letter.shl(n, by))) == list(np.left_shift(x, np.int32(by)))


def test_products_over_64_bits_are_rounded_as_the_law_rounds() -> None:
    def of(n: Node) -> Node:
        small = letter.shr(n, 8)
        return letter.stack([letter.mulshr(small, letter.const(k, "i32"), by) for k, by in SCALES])

    rng = np.random.default_rng(1)
    x = rng.integers(-(2**31), 2**31, 300).astype(np.int32)
    wide = (x >> 8).astype(np.int64)
    right = [((wide * k + (1 << (by - 1))) >> by).tolist() for k, by in SCALES]
    assert evaluate(x, of).tolist() == right


SCALES = ((32767, 15), (-3, 1), (2**31 - 1, 40), (2**31 - 1, 62))


def test_an_output_that_is_called_as_an_input_is_gets_a_tail() -> None:
    draft = Draft("same")
    draft.output("x", letter.neg(draft.input("x")))
    program = draft.finish()
    call, _, _ = play(write_onnx(program, pack(program, {})))
    assert call({"x": np.array(2, np.float32)})["x_out"] == -2


def test_a_block_of_another_program_is_refused() -> None:
    draft = Draft("one")
    draft.output("y", letter.mul(draft.input("x"), draft.param("k", 2.0)))
    with pytest.raises(BadInput):
        write_onnx(draft.finish(), b"BMP1")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft("one")
    draft.output("y", draft.input("x"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unsupported, match=r"onnx is missing") as error:
        write_onnx(draft.finish(), pack(draft.finish(), {}))
    assert error.value.hint == "pip install bimetal[onnx]"
