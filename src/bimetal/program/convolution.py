"""Convolution words: patches of a picture, and sums over them, in whole numbers or in floats."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce as fold

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import DTYPES, Node

FEW = 32
End = Callable[[Node], Node]
"""What a layer makes of its sums, as word.scaling has it."""


def padded(x: Node, rows: int, columns: int) -> Node:
    """A picture (h, w, c) with zeros around it, shape (h + 2 rows, w + 2 columns, c)."""
    if columns:
        beside = _zeros(x, (columns, x.shape[2]))
        x = word.mapped(x, lambda row: letter.concat([beside, row, beside]))
    if rows:
        above = _zeros(x, (rows, *x.shape[1:]))
        x = letter.concat([above, x, above])
    return x


def dense(x: Node, flat: Node, kernel: tuple[int, int], stride: int, end: End) -> Node:
    """Weights (filters, rows * columns * c) times each patch of a picture: (h', w', filters).

    Weights are i32 for an i8 picture, f32 for one of f32; `kernel` is rows and columns. A patch is copied
    once, as the weights are, for all filters. Raises BadProgram where the kernel does not fit.
    """
    (high, wide), c = kernel, x.shape[2]
    _check(x, (high, wide, flat.shape[1] // (high * wide)))
    if flat.shape[1] != high * wide * c:
        raise BadProgram(f"{flat.shape[1]} weights are no kernel {list(kernel)} of {x!r}")
    items = letter.reshape(x, (x.size,))

    def at(first: Node) -> Node:
        def row(k: Node) -> Node:
            place = letter.add(
                letter.mul(letter.add(first, letter.mul(k, x.shape[1])), c), letter.iota(wide * c)
            )
            return _as(letter.gather(items, place), flat)

        patch = letter.reshape(letter.each(high, row), (high * wide * c,))
        return end(word.matvec(flat, patch))

    return _slide(x, (high, wide), stride, at)


def depthwise(x: Node, weights: Node, stride: int, end: End) -> Node:
    """Weights (rows, columns, c) times each patch of a picture of their type, channels apart: (h', w', c).

    The sums are i32 for i8. The products of a patch are written out one by one where there are few.
    """
    high, wide, c = weights.shape
    _check(x, weights.shape)
    flat = letter.reshape(weights, (high * wide, c))
    flat = flat if weights.dtype == "f32" else letter.cast(flat, "i32")
    items = _as(letter.reshape(x, (x.shape[0] * x.shape[1], c)), flat)
    places = [k // wide * x.shape[1] + k % wide for k in range(high * wide)]

    def at(first: Node) -> Node:
        if len(places) > FEW:
            patch = letter.gather(items, letter.add(letter.const(places, "i32"), first))
            return end(word.total(letter.mul(flat, patch), axis=0))
        products = [
            letter.mul(
                letter.reshape(letter.slice_(flat, k, k + 1), (c,)),
                letter.gather(items, letter.add(first, place)),
            )
            for k, place in enumerate(places)
        ]
        return end(fold(letter.add, products))

    return _slide(x, (high, wide), stride, at)


def _slide(x: Node, kernel: tuple[int, int], stride: int, at: Callable[[Node], Node]) -> Node:
    """Stack what `at` gives for every place of a kernel: `at` takes the number of its first element."""
    rows, columns = ((size - part) // stride + 1 for size, part in zip(x.shape, kernel, strict=False))

    def along(r: Node) -> Node:
        line = letter.mul(r, stride * x.shape[1])
        return letter.each(columns, lambda q: at(letter.add(line, letter.mul(q, stride))))

    return letter.each(rows, along)


def _check(x: Node, kernel: tuple[int, ...]) -> None:
    (h, w, c), (high, wide, channels) = x.shape, kernel
    if channels != c or not (1 <= high <= h and 1 <= wide <= w):
        raise BadProgram(f"a kernel {list(kernel)} does not fit {x!r}")


def _as(x: Node, other: Node) -> Node:
    return x if other.dtype == "f32" else letter.cast(x, "i32")


def _zeros(x: Node, shape: tuple[int, ...]) -> Node:
    return letter.const(np.zeros(shape, DTYPES[x.dtype]), x.dtype)
