"""The code of a stage: few local variables, addresses that cannot wrap round, every narrow type."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Draft, Program
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_run import WasmTarget
from tests.targets.given import detector, lowered, one_output


def both(program: Program, **values: object) -> tuple[bytes, bytes]:
    """What the law and wasm put out for one reading."""
    rows = np.zeros(1, layout_of(program).input.dtype)
    for name, value in values.items():
        rows[name] = value
    found = [
        t.load(program, pack(program, {})).run(initial_state(program), rows)[1].tobytes()
        for t in (NumpyTarget(), WasmTarget())
    ]
    return found[0], found[1]


@pytest.mark.parametrize("step", [-1, -3, 2, 5])
def test_an_address_may_go_backwards(step: int) -> None:
    start, stop = (19, -1) if step < 0 else (0, 20)
    program = one_output(lambda a: letter.sqrt(letter.slice_(a, start, stop, step)), (20,))
    law, wasm = both(program, a=np.arange(20))
    assert law == wasm


def test_a_computed_place_may_lie_before_the_first_element_it_is_counted_from() -> None:
    """a[k - 3] for k = 3..5: the constant part of the address is negative."""
    draft = Draft("before")
    x, k = draft.input("x", shape=(3,)), word.clip(draft.input("k", "i32"), 3, 5)
    draft.output("y", letter.gather(x, letter.sub(k, 3)))
    program = draft.finish()
    for at in (3, 4, 5):
        law, wasm = both(program, x=[1.5, 2.5, 3.5], k=at)
        assert law == wasm


@pytest.mark.parametrize("dtype", ["i8", "u8", "i16"])
def test_narrow_numbers_come_and_go_with_their_sign(dtype: str) -> None:
    ends = np.iinfo({"i8": np.int8, "u8": np.uint8, "i16": np.int16}[dtype])
    draft = Draft("narrow")
    x = draft.input("x", dtype, (3,))
    wide = letter.cast(x, "i32")
    draft.output("wide", wide)
    draft.output("narrow", letter.cast(word.clip(letter.neg(wide), ends.min, ends.max), dtype))
    program = draft.finish()
    law, wasm = both(program, x=[ends.min, ends.max, 1])
    assert law == wasm


def locals_of(program: Program) -> int:
    """Local variables of the largest stage: read from the code section of the module."""
    code = write_wasm(lowered(program)).code
    most, at = 0, 8
    while at < len(code):
        kind, at = code[at], at + 1
        size, at = unsigned(code, at)
        if kind == 10:
            count, body = unsigned(code, at)
            for _ in range(count):
                length, body = unsigned(code, body)
                runs, inner = unsigned(code, body)
                total = 0
                for _ in range(runs):
                    often, inner = unsigned(code, inner)
                    total, inner = total + often, inner + 1
                most, body = max(most, total), body + length
        at += size
    return most


def unsigned(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128, and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            return value, at


def test_variables_are_used_again_when_their_block_is_over() -> None:
    """Engines compile functions of few locals well; those of thousands they interpret."""
    draft = Draft("many loops")
    x = draft.input("x", shape=(8,))
    value = x
    for _ in range(60):
        value = letter.sqrt(letter.add(value, letter.slice_(value, 7, -1, -1)))
    draft.output("y", value)
    assert locals_of(draft.finish()) < 40
    assert locals_of(detector(8)[0]) == locals_of(detector(20)[0]) < 1000, (
        "more signals take more turns, not names"
    )
