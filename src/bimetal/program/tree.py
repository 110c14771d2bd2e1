"""Trees as words: decision trees whose nodes are data, walked in a bounded number of turns.

A tree is written as nested splits: `(feature, threshold, low, high)` goes to `low` where
x[feature] <= threshold and to `high` where it is greater; a whole number is a leaf. Packed, a split takes
one entry in each of three arrays, and a leaf none:

* the splits of a tree stand in the order "this one, all below `low`, all below `high`", so the first
  side that is a split is the next entry;
* `link` is the entry of `high` where both sides are splits; otherwise it is -1 - (low * 2**bits + high),
  both sides as numbers of leaves, and 2**bits - 1 for the one that is a split.

Declared ranges keep every entry inside; `turns` more entries stand at the end, so that no sequence of
steps leaves the arrays, whatever values a parameter block brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import DTYPES, Node
from bimetal.program.program import Draft

Tree: TypeAlias = "int | tuple[int, float, Tree, Tree]"
NARROW, WIDE = 7, 15
"""Bits of a leaf's number: `link` is i16 with up to 127 leaves a tree, or i32 with up to 32,767."""
MOST_TURNS = 512


@dataclass(frozen=True, slots=True)
class Packed:
    """Trees as arrays: one entry a split in `feature`, `threshold` and `link`, and where each starts.

    `bits` are those of a leaf's number, `turns` how many splits lie on the longest way, rounded up to an
    even number.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    link: tuple[int, ...]
    root: tuple[int, ...]
    bits: int
    turns: int


def packed(trees: Sequence[Tree]) -> Packed:
    """Pack trees; raises BadProgram where there is none, or one has too many leaves or levels."""
    leaves = max((most_leaf(t) for t in trees), default=-1)
    if not 0 <= leaves < (1 << WIDE) - 1:
        raise BadProgram(f"leaves must be numbered 0 to {(1 << WIDE) - 2}, not up to {leaves}", where="tree")
    bits = NARROW if leaves < (1 << NARROW) - 1 else WIDE
    turns = max(2, -(-max(depth_of(t) for t in trees) // 2) * 2)
    if turns > MOST_TURNS:
        raise BadProgram(f"{turns} levels are more than {MOST_TURNS}", where="tree")
    writer = _Writer(bits)
    root = tuple(writer.tree(t) for t in trees)
    if bits == NARROW and len(writer.link) + turns >= 2**15:
        writer = _Writer(bits := WIDE)
        root = tuple(writer.tree(t) for t in trees)
    return Packed(
        (*writer.feature, *(0,) * turns),
        (*writer.threshold, *(0,) * turns),
        (*writer.link, *(-1,) * turns),
        root,
        bits,
        turns,
    )


def walk(draft: Draft, trees: Packed, x: Node, name: str) -> Node:
    """Return the leaf (trees,) that x falls to in every tree, 0..2**bits - 1; i32.

    `x` is a vector, u8 or f32; thresholds are of its type. A NaN goes to `low`. Parameters:
    `<name>_feature`, `<name>_threshold` and `<name>_link`, one entry a split, and `<name>_root` (trees,).
    Raises BadProgram for a feature that x does not have.
    """
    if len(x.shape) != 1 or x.dtype not in ("u8", "f32") or max(trees.feature) >= x.size:
        raise BadProgram(f"trees of features 0..{max(trees.feature)} cannot take {x!r}", where=name)
    mask, last = (1 << trees.bits) - 1, len(trees.link) - 1 - trees.turns
    kind = "i16" if trees.bits == NARROW else "i32"
    small = "u8" if x.size <= 256 else "i16"
    feature = draft.param(f"{name}_feature", trees.feature, small, low=0, high=x.size - 1)
    threshold = draft.param(f"{name}_threshold", trees.threshold, x.dtype)
    link = draft.param(f"{name}_link", trees.link, kind, low=-((mask << trees.bits | mask) + 1), high=last)
    root = letter.cast(draft.param(f"{name}_root", trees.root, kind, low=0, high=last), "i32")

    def turn(carried: tuple[Node, ...], _: Node) -> tuple[Node]:
        (at,) = carried
        here = letter.maximum(letter.const(0, "i32"), at)
        value, limit = letter.gather(x, _whole(letter.gather(feature, here))), letter.gather(threshold, here)
        high = letter.lt(_whole(limit), _whole(value))
        to = _whole(letter.gather(link, here))
        after = letter.add(here, 1)
        pair = letter.sub(-1, to)
        leaf = letter.where(high, letter.band(pair, mask), letter.shr(pair, trees.bits))
        ends = letter.where(letter.eq(leaf, mask), after, letter.sub(-1, leaf))
        steps = letter.where(letter.lt(to, 0), ends, letter.where(high, to, after))
        return (letter.where(letter.lt(at, 0), at, steps),)

    (end,) = letter.scan(trees.turns, [root], turn)
    reached = letter.where(letter.lt(end, 0), letter.sub(-1, end), 0)
    return letter.band(reached, mask)


def counted(leaf: Node, outputs: int) -> Node:
    """Return how many trees name each class, i32 (outputs,): `leaf` (trees,) are classes."""
    votes = letter.eq(letter.reshape(leaf, (leaf.size, 1)), letter.iota(outputs))
    return letter.reduce(letter.cast(votes, "i32"), axis=0)


def summed(leaf: Node, table: Node, start: Node, outputs: int) -> Node:
    """Return what the leaves (trees,) are worth together, i32 (outputs,).

    A leaf of tree t is row `start[t] + leaf` of the table (rows, outputs), the last row for one beyond
    it; where rows hold one number, tree t counts for output t modulo outputs.
    """
    row = letter.minimum(letter.const(table.shape[0] - 1, "i32"), letter.add(_whole(start), leaf))
    return added(table, row, outputs)


def added(table: Node, row: Node, outputs: int) -> Node:
    """Return what the rows (trees,) of a table are together, i32 (outputs,)."""
    found = _whole(letter.gather(table, row))
    return letter.reduce(letter.reshape(found, (row.size * table.shape[1] // outputs, outputs)), axis=0)


def worth_table(draft: Draft, name: str, rows: ArrayLike, trees: int, low: int = -(2**31)) -> Node:
    """Declare what leaves are worth (rows, numbers): the narrowest of i8, i16 and i32 that holds them all.

    No sum over so many trees can overflow. `low` is the least that is allowed.
    """
    values = np.asarray(rows)
    kind = next((k for k in ("i8", "i16") if _holds(k, values)), "i32")
    limit = np.iinfo(DTYPES[kind])
    most = min(most_worth(trees), int(limit.max))
    return draft.param(name, values, kind, low=max(low, -most), high=most)


def starts(draft: Draft, name: str, start: Sequence[int], rows: int) -> Node:
    """Declare the row that the leaves of every tree start at."""
    return draft.param(name, start, "i16" if rows <= 2**15 else "i32", low=0, high=rows - 1)


def _holds(kind: str, values: NDArray[Any]) -> bool:
    most = np.iinfo(DTYPES[kind]).max
    return bool(-most <= values.min() and values.max() <= most)


def most_worth(trees: int) -> int:
    """Return what a leaf is worth at most, so that no sum over so many trees overflows."""
    return (2**31 - 1) // trees


def _whole(x: Node) -> Node:
    """Return what is compared or used as an index: stored whole numbers as i32, floats as they are."""
    return x if x.dtype == "f32" else letter.cast(x, "i32")


def depth_of(tree: Tree) -> int:
    """Return how many splits lie on the longest way to a leaf."""
    deepest, todo = 0, [(tree, 0)]
    while todo:
        part, depth = todo.pop()
        deepest = max(deepest, depth)
        if not isinstance(part, int):
            todo += [(part[2], depth + 1), (part[3], depth + 1)]
    return deepest


def most_leaf(tree: Tree) -> int:
    """Return the greatest number of a leaf, -1 where one is negative."""
    most, todo = -1, [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, int):
            if part < 0:
                return -1
            most = max(most, part)
        else:
            todo += part[2:]
    return most


class _Writer:
    """Writes splits in their order."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.link: list[int] = []

    def tree(self, tree: Tree) -> int:
        """Write a tree and return where it starts; one that is a leaf becomes a split with equal sides."""
        start = len(self.link)
        todo: list[tuple[Tree, int]] = [((0, 0, tree, tree) if isinstance(tree, int) else tree, -1)]
        while todo:
            part, parent = todo.pop()
            assert not isinstance(part, int)
            if parent >= 0:
                self.link[parent] = len(self.link)
            self._split(part, todo)
        return start

    def _split(self, split: tuple[int, float, Tree, Tree], todo: list[tuple[Tree, int]]) -> None:
        feature, threshold, low, high = split
        at, through = len(self.link), (1 << self.bits) - 1
        self.feature.append(feature)
        self.threshold.append(threshold)
        if not isinstance(low, int) and not isinstance(high, int):
            self.link.append(0)
            todo += [(high, at), (low, -1)]
            return
        sides = [side if isinstance(side, int) else through for side in (low, high)]
        self.link.append(-1 - (sides[0] << self.bits | sides[1]))
        todo += [(side, -1) for side in (low, high) if not isinstance(side, int)]
