"""Letters refuse what they cannot take, and say so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import EVERY, Clock, Node

F = Node("input", (), (3,), "f32", clock=EVERY, name="f")
I = Node("input", (), (3,), "i32", clock=EVERY, name="i")  # noqa: E741
B = Node("input", (), (3,), "b1", clock=EVERY, name="b")
U = Node("input", (), (3,), "u8", clock=EVERY, name="u")
M = Node("input", (), (2, 4), "f32", clock=EVERY, name="m")
SLOW = Node("state", (), (3,), "f32", clock=Clock(4, 3), name="s")

REFUSED: dict[str, Callable[[], object]] = {
    "mixed types": lambda: letter.add(F, I),
    "arithmetic on storage": lambda: letter.add(U, U),
    "arithmetic on b1": lambda: letter.mul(B, B),
    "integer division": lambda: letter.div(I, I),
    "root of an integer": lambda: letter.sqrt(I),
    "bits of storage": lambda: letter.bits(U),
    "shapes": lambda: letter.add(F, M),
    "clocks": lambda: letter.add(F, SLOW),
    "shift of f32": lambda: letter.shl(F, 1),
    "shift by 32": lambda: letter.shr(I, 32),
    "shift by -1": lambda: letter.shl(I, -1),
    "mulshr by 0": lambda: letter.mulshr(I, I, 0),
    "mulshr by 63": lambda: letter.mulshr(I, I, 63),
    "where without a condition": lambda: letter.where(I, F, F),
    "where of two types": lambda: letter.where(B, F, I),
    "where of two numbers": lambda: letter.where(B, 1.0, 2.0),
    "cast f32 to u8": lambda: letter.cast(F, "u8"),
    "cast to b1": lambda: letter.cast(I, "b1"),
    "cast to nonsense": lambda: letter.cast(I, "f64"),
    "gather from a scalar": lambda: letter.gather(Node("iter", (), (), "i32"), I),
    "gather by f32": lambda: letter.gather(F, F),
    "slice past the end": lambda: letter.slice_(F, 0, 4),
    "empty slice": lambda: letter.slice_(F, 2, 2),
    "slice by 0": lambda: letter.slice_(F, 0, 2, 0),
    "slice of no axis": lambda: letter.slice_(F, 0, 1, 1, 1),
    "slice backwards past the start": lambda: letter.slice_(F, 2, -3, -2),
    "reshape": lambda: letter.reshape(F, (4,)),
    "stack of nothing": lambda: letter.stack([]),
    "stack of shapes": lambda: letter.stack([F, letter.slice_(F, 0, 2)]),
    "stack of types": lambda: letter.stack([F, I]),
    "concat of scalars": lambda: letter.concat([letter.reduce(F)]),
    "concat of trailing shapes": lambda: letter.concat([F, M]),
    "reduce by mean": lambda: letter.reduce(F, "mean"),
    "reduce of no axis": lambda: letter.reduce(F, "add", 1),
    "reduce of storage": lambda: letter.reduce(U),
    "scan that changes shape": lambda: letter.scan(2, [F], lambda c, k: [letter.reduce(c[0])]),
    "scan that forgets one": lambda: letter.scan(2, [F, F], lambda c, k: [c[0]]),
    "scan of no turns": lambda: letter.scan(0, [F], lambda c, k: c),
    "each of no turns": lambda: letter.each(0, lambda k: k),
    "too large a constant": lambda: letter.const(256, "u8"),
    "NaN": lambda: letter.const(float("nan"), "f32"),
    "infinity": lambda: letter.const([1.0, float("inf")], "f32"),
    "a double beyond f32": lambda: letter.const(1e39, "f32"),
    "two numbers": lambda: letter.add(1, 2),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_words(make: Callable[[], object]) -> None:
    with pytest.raises(BadProgram) as e:
        make()
    assert len(str(e.value)) > 15


SHAPES = [
    (letter.add(F, 1), (3,), "f32"),
    (letter.sub(2, I), (3,), "i32"),
    (letter.lt(F, 0), (3,), "b1"),
    (letter.mul(letter.reshape(F, (3, 1)), letter.reshape(M, (1, 8))), (3, 8), "f32"),
    (letter.where(B, F, 0.0), (3,), "f32"),
    (letter.cast(U, "i32"), (3,), "i32"),
    (letter.bits(F), (3,), "i32"),
    (letter.gather(M, I), (3, 4), "f32"),
    (letter.gather(F, letter.iota(6)), (6,), "f32"),
    (letter.slice_(M, 3, -1, -2, 1), (2, 2), "f32"),
    (letter.stack([M, M, M]), (3, 2, 4), "f32"),
    (letter.concat([F, F]), (6,), "f32"),
    (letter.reduce(M), (2,), "f32"),
    (letter.reduce(M, "max", 0), (4,), "f32"),
    (letter.each(5, lambda k: letter.gather(F, letter.band(k, 1))), (5,), "f32"),
    (letter.scan(5, [F, I], lambda c, k: [c[0], letter.add(c[1], k)])[1], (3,), "i32"),
]


@pytest.mark.parametrize(("node", "shape", "dtype"), SHAPES, ids=[repr(n) for n, _, _ in SHAPES])
def test_shape_and_type(node: Node, shape: tuple[int, ...], dtype: str) -> None:
    assert (node.shape, node.dtype) == (shape, dtype)


def test_a_number_takes_the_type_of_the_other_side() -> None:
    node = letter.add(I, 3)
    assert (node.args[1].op, node.args[1].dtype) == ("const", "i32")
    with pytest.raises(BadProgram, match="not a finite i32"):
        letter.add(I, 2**31)


def test_what_never_changes_has_no_clock() -> None:
    fixed = letter.add(letter.const([1.0, 2.0, 3.0], "f32"), letter.const(1.0, "f32"))
    assert fixed.clock is None
    assert letter.add(fixed, F).clock == EVERY
    assert letter.add(fixed, SLOW).clock == Clock(4, 3)


def test_casting_to_its_own_type_is_nothing() -> None:
    assert letter.cast(F, "f32") is F


def test_a_slice_remembers_where_it_starts() -> None:
    node = letter.slice_(M, 0, 4, 2, axis=-1)
    assert (node.shape, node.attr) == ((2, 2), (0, 2, 1))
    assert np.zeros((2, 4))[:, 0:4:2].shape == node.shape
