"""Nodes are compared by identity, and walked without recursion."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program import letter
from bimetal.program.node import DTYPES, EVERY, Clock, Node, constant, walk


def test_a_walk_yields_every_node_once_and_arguments_first() -> None:
    a = constant(1.0, "f32")
    b = letter.add(a, a)
    c = letter.mul(b, a)
    assert list(walk([c, b, a])) == [a, b, c]


def test_a_walk_is_not_limited_by_depth() -> None:
    node = constant(1.0, "f32")
    for _ in range(20_000):
        node = letter.add(node, node)
    assert sum(1 for _ in walk([node])) == 20_001


def test_nodes_are_themselves_alone() -> None:
    assert constant(1.0, "f32") != constant(1.0, "f32")


def test_a_constant_is_rounded_once_and_cannot_be_changed() -> None:
    source = np.array([0.1, 0.2])
    node = constant(source, "f32")
    source[0] = 9
    assert list(node.attr) == [np.float32(0.1), np.float32(0.2)]
    with pytest.raises(ValueError, match="read-only"):
        node.attr[0] = 1


def test_size_counts_elements() -> None:
    assert Node("iter", (), (), "i32").size == 1
    assert Node("input", (), (2, 3), "f32").size == 6


def test_types_are_little_endian_and_of_known_width() -> None:
    assert {name: d.itemsize for name, d in DTYPES.items()} == {
        "f32": 4, "i32": 4, "i16": 2, "i8": 1, "u8": 1, "b1": 1,
    }  # fmt: skip
    assert all(d.newbyteorder("<") == d for d in DTYPES.values())


def test_the_fastest_clock_sorts_first() -> None:
    assert sorted([Clock(2, 1), Clock(2, 0), EVERY]) == [EVERY, Clock(2, 0), Clock(2, 1)]
