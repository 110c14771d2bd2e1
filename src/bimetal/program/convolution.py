"""Convolution words: patches of a picture, and sums over them in whole numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import DTYPES, Node


def padded(x: Node, rows: int, columns: int) -> Node:
    """A picture (h, w, c) with zeros around it, shape (h + 2 rows, w + 2 columns, c)."""
    if columns:
        beside = _zeros(x, (columns, x.shape[2]))
        x = word.mapped(x, lambda row: letter.concat([beside, row, beside]))
    if rows:
        above = _zeros(x, (rows, *x.shape[1:]))
        x = letter.concat([above, x, above])
    return x


def slide(x: Node, kernel: tuple[int, int], stride: int, of: Callable[[Node], Node], *, split: bool) -> Node:
    """Stack what `of` gives for every patch of a picture (h, w, c), shape (rows, columns, ...).

    A patch is (kernel rows, kernel columns, c), or with `split` off (kernel rows, kernel columns * c).
    Raises BadProgram where the kernel is larger than the picture.
    """
    (h, w, c), (high, wide) = x.shape, kernel
    if not (1 <= high <= h and 1 <= wide <= w):
        raise BadProgram(f"a kernel {kernel} does not fit into {x!r}")
    item = 1 if split else c
    items = letter.reshape(x, (h * w, c) if split else (h * w * c,))
    down = letter.mul(letter.reshape(letter.iota(high), (high, 1)), w * item)
    inside = letter.add(down, letter.iota(wide * item))

    def patch(row: Node, column: Node) -> Node:
        first = letter.add(letter.mul(row, stride * w * item), letter.mul(column, stride * item))
        return of(letter.gather(items, letter.add(inside, first)))

    rows, columns = (h - high) // stride + 1, (w - wide) // stride + 1
    return letter.each(rows, lambda r: letter.each(columns, lambda q: patch(r, q)))


def dense(x: Node, weights: Node, stride: int, of: Callable[[Node], Node]) -> Node:
    """`of` the i32 sums (filters,) of i8 weights (filters, rows, columns, c) times each patch of i8 x."""
    filters, high, wide, c = weights.shape
    if c != x.shape[2]:
        raise BadProgram(f"weights {weights!r} do not fit {x!r}")
    flat = letter.cast(letter.reshape(weights, (filters, high, wide * c)), "i32")

    def sums(patch: Node) -> Node:
        return of(word.total(word.total(letter.mul(flat, letter.cast(patch, "i32")))))

    return slide(x, (high, wide), stride, sums, split=False)


def depthwise(x: Node, weights: Node, stride: int, of: Callable[[Node], Node]) -> Node:
    """`of` the i32 sums (c,) of i8 weights (rows, columns, c) times each patch of i8 x, channels apart."""
    high, wide, c = weights.shape
    if c != x.shape[2]:
        raise BadProgram(f"weights {weights!r} do not fit {x!r}")
    whole = letter.cast(weights, "i32")

    def sums(patch: Node) -> Node:
        products = letter.mul(whole, letter.cast(patch, "i32"))
        return of(word.total(word.total(products, axis=0), axis=0))

    return slide(x, (high, wide), stride, sums, split=True)


def _zeros(x: Node, shape: tuple[int, ...]) -> Node:
    return letter.const(np.zeros(shape, DTYPES[x.dtype]), x.dtype)
