"""Every rewriting keeps every bit, and does make programs smaller."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.layout import initial_state
from bimetal.program.node import Node
from bimetal.program.program import Draft, Program
from bimetal.program.rewrite import fold, narrow, share, simplify
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyRunning
from bimetal.targets.numpy_letter import evaluate
from tests.agree.random_program import random_program, random_rows

PASSES: dict[str, Callable[[Program], Program]] = {
    "fold": lambda p: fold(p, evaluate),
    "share": share,
    "narrow": narrow,
    "simplify": lambda p: simplify(p, evaluate),
}


def letters(program: Program) -> list[str]:
    """The letters a program has."""
    return [n.op for n in program.nodes()]


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("seed", range(20))
def test_the_bits_stay(name: str, seed: int) -> None:
    program, values = random_program(seed)
    after = PASSES[name](program)
    check(after)
    rows = random_rows(program, seed, 8, nasty=True)
    one, other = (NumpyRunning(p, values).run(initial_state(p), rows) for p in (program, after))
    assert one[0] == other[0]
    assert one[1].tobytes() == other[1].tobytes()
    assert len(letters(after)) <= len(letters(program)) + (name in ("narrow", "simplify")) * 20


def made(make: Callable[[Node], Node]) -> Program:
    """A program of one input."""
    draft = Draft()
    draft.output("y", make(draft.input("x")))
    return draft.finish()


def test_constants_are_folded() -> None:
    two = letter.const(2.0, "f32")
    program = fold(made(lambda x: letter.mul(x, letter.add(letter.sqrt(two), 1.0))), evaluate)
    assert sorted(letters(program)) == ["const", "input", "mul"]
    kept = next(n for n in program.nodes() if n.op == "const")
    assert kept.attr == np.float32(np.sqrt(np.float32(2))) + np.float32(1)


def test_what_would_be_nan_or_large_is_not_folded() -> None:
    zero = letter.const(0.0, "f32")
    assert "div" in letters(fold(made(lambda x: letter.add(x, letter.div(zero, zero))), evaluate))
    assert "mul" in letters(
        fold(made(lambda x: letter.cast(letter.mul(letter.iota(99), 2), "f32")), evaluate)
    )


def test_what_is_said_twice_is_shared() -> None:
    program = made(lambda x: letter.mul(letter.add(x, 1.0), letter.add(x, 1.0)))
    assert sorted(letters(share(program))) == ["add", "const", "input", "mul"]


def test_different_attributes_are_not_shared() -> None:
    def shifted(x: Node) -> Node:
        whole = letter.cast(word.clip(x, 0.0, 9.0), "i32")
        return letter.cast(letter.add(letter.shr(whole, 1), letter.shr(whole, 2)), "f32")

    program = made(shifted)
    assert letters(share(program)).count("shr") == 2


@pytest.mark.parametrize(
    ("values", "dtype"), [(range(20), "u8"), (range(-20, 0), "i8"), (range(280, 300), "i16")]
)
def test_tables_are_narrowed(values: range, dtype: str) -> None:
    table = letter.const(list(values), "i32")
    program = narrow(made(lambda x: letter.cast(letter.gather(table, letter.iota(3)), "f32")))
    assert [n.dtype for n in program.nodes() if n.op == "const"] == [dtype]


def test_folding_does_not_widen_a_narrowed_table() -> None:
    table = letter.const(list(range(20)), "i32")
    once = simplify(
        made(lambda x: letter.add(letter.cast(letter.gather(table, letter.iota(20)), "f32"), x)), evaluate
    )
    again = simplify(once, evaluate)
    assert letters(again) == letters(once)


def test_a_wide_table_stays() -> None:
    table = letter.const([k * 10_000 for k in range(20)], "i32")
    program = narrow(made(lambda x: letter.cast(letter.gather(table, letter.iota(3)), "f32")))
    assert [n.dtype for n in program.nodes() if n.op == "const"] == ["i32"]
