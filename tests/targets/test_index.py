"""Index arithmetic is what NumPy does with the arrays themselves."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.targets.index import (
    DEEPEST,
    LARGEST,
    Index,
    Indexer,
    align,
    flat,
    insert,
    names,
    progression,
    strides,
    zeros,
)  # fmt: skip
from bimetal.targets.loops import Lin, variable

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)


def own(shape: tuple[int, ...]) -> tuple[Index, Indexer]:
    """Loops over a shape, and what is known of them."""
    index = tuple(variable(f"i{k}") for k in range(len(shape)))
    return index, Indexer({f"i{k}": (0, n - 1) for k, n in enumerate(shape)})


def turns(shape: tuple[int, ...]) -> list[dict[str, int]]:
    """Every turn of loops over a shape."""
    return [{f"i{k}": v for k, v in enumerate(place)} for place in product(*map(range, shape))]


def at(index: Lin, turn: dict[str, int]) -> int:
    """An index in one turn."""
    return index.const + sum(f * turn[n] for n, f in index.terms)


@given(SHAPES)
def test_a_row_major_place_is_numpys(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    index, _ = own(shape)
    assert strides(shape) == [s // array.itemsize for s in array.strides]
    for turn in turns(shape):
        assert at(flat(index, shape), turn) == array[tuple(turn.values())]
    assert flat(zeros(shape), shape) == Lin()


@given(SHAPES)
def test_a_place_comes_apart_into_its_axes(shape: tuple[int, ...]) -> None:
    index, indexer = own(shape)
    found = indexer.unflat(flat(index, shape), shape)
    assert found is not None
    for turn in turns(shape):
        assert [at(axis, turn) for axis in found] == list(turn.values())


@given(SHAPES, st.data())
def test_another_shape_has_the_same_elements_or_takes_a_division(
    shape: tuple[int, ...], data: st.DataObject
) -> None:
    size = int(np.prod(shape))
    wanted = tuple(data.draw(st.permutations(factors(size))))
    index, indexer = own(shape)
    found = indexer.unflat(flat(index, shape), wanted)
    if found is None:
        return
    array = np.arange(size).reshape(wanted)
    for k, turn in enumerate(turns(shape)):
        assert array[tuple(at(axis, turn) for axis in found)] == k


def factors(size: int) -> list[int]:
    """Numbers whose product is a size."""
    found = [1]
    for prime in (2, 3, 5):
        while size % prime == 0:
            found.append(prime)
            size //= prime
    return [*found, size] if size > 1 else found


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 3), (1, 3), (2, 1), ()])
def test_what_is_broadcast_is_taken_at_its_own_axes(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    wide = np.broadcast_to(array, (2, 3))
    index, _ = own((2, 3))
    for turn in turns((2, 3)):
        place = tuple(at(axis, turn) for axis in align(index, shape))
        assert array[place] == wide[tuple(turn.values())]


@pytest.mark.parametrize(("start", "stop", "step"), [(0, 6, 1), (5, -1, -1), (1, 6, 2), (4, 0, -3)])
def test_a_slice_is_numpys(start: int, stop: int, step: int) -> None:
    a = letter.const(np.arange(6.0), "f32")
    node = letter.slice_(a, start, stop, step)
    index, indexer = own(node.shape)
    (place,) = indexer.sliced(node, index)
    taken = np.arange(6)[start : stop if stop >= 0 else None : step]
    assert [at(place, turn) for turn in turns(node.shape)] == list(taken)


def test_an_index_lies_in_one_part_or_in_none() -> None:
    parts = [letter.const(np.zeros(n), "f32") for n in (2, 3)]
    both = letter.concat(parts)
    indexer = Indexer({"i0": (0, 4), "i1": (0, 2)})
    assert indexer.picked(both, (variable("i0"),)) is None
    assert indexer.picked(both, (variable("i1") + 2,)) == (parts[1], (variable("i1"),))
    assert indexer.picked(both, (Lin(1),)) == (parts[0], (Lin(1),))
    rows = letter.stack([parts[0], parts[0]])
    assert indexer.picked(rows, (Lin(1), variable("i1"))) == (parts[0], (variable("i1"),))
    assert indexer.picked(rows, (variable("i1"), Lin())) is None


def affine(make: Node, shape: tuple[int, ...]) -> Lin | None:
    """An i32 value as an index, in loops over a shape."""
    index, indexer = own(shape)
    return indexer.affine(make, index)


def test_whole_numbers_that_are_affine_need_no_table() -> None:
    n = letter.iota(6)
    assert affine(n, (6,)) == variable("i0")
    assert affine(letter.add(letter.mul(n, 3), 2), (6,)) == variable("i0").times(3) + 2
    assert affine(letter.sub(7, letter.slice_(n, 5, -1, -1)), (6,)) == variable("i0") + 2
    assert affine(letter.const([4, 6, 8], "i32"), (3,)) == variable("i0").times(2) + 4


def test_what_is_not_affine_is_left_to_be_computed() -> None:
    n = letter.iota(6)
    assert affine(letter.mul(n, n), (6,)) is None
    assert affine(letter.band(n, 3), (6,)) is None
    assert affine(letter.const([1, 2, 4], "i32"), (3,)) is None
    assert affine(letter.mul(n, LARGEST), (6,)) is None
    deep = n
    for _ in range(DEEPEST + 1):
        deep = letter.add(deep, 1)
    assert affine(deep, (6,)) is None


def test_one_of_several_numbers_is_that_number() -> None:
    values = np.array([[5, 9], [2, 7]], np.int32)
    assert progression(values, (Lin(1), Lin(0))) == Lin(2)
    assert progression(values, (variable("i0"), Lin(0))) is None
    assert progression(np.array([3], np.int32), (variable("i0"),)) == Lin(3)


def test_axes_are_put_in_where_they_belong() -> None:
    assert insert((Lin(1), Lin(2)), 1, Lin(9)) == (Lin(1), Lin(9), Lin(2))
    assert names([variable("i0") + variable("i1"), Lin(3)]) == {"i0", "i1"}
