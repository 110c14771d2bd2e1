"""Plant: trees as their maker has them become a forest of ours, leaves numbered and worth whole numbers.

| what | how |
| --- | --- |
| thresholds | places among a column's edges (bins, u8) where that takes no more bytes and time, else f32 |
| what leaves are worth | whole numbers of 2**-shift, as fine as their sum allows, equal ones once |
| sides that are worth the same | one leaf |
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.foreign import Floats, RawTree
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operators.bins import MOST, Bins
from bimetal.program.program import Draft
from bimetal.program.tree import NARROW, Tree

FARTHEST = float(np.finfo(np.float32).max)
SEARCH = 12
"""How many splits of a walk the search for one bin is worth."""

Row = tuple[int, ...]
Codes = list[NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Soil:
    """What trees stand on: the rows a forest's features come from, and their edges in ascending order.

    Row k holds the values of column `source[k]`, a missing one low or (`high`) above all edges. A column
    with more edges than a row can have gets several rows, each edge in one of them.
    """

    source: tuple[int, ...]
    high: tuple[bool, ...]
    edges: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Leaves:
    """What leaves are worth: whole numbers in rows, and the row that each tree's leaves start at."""

    rows: tuple[Row, ...]
    start: tuple[int, ...]
    shift: int


def soils_of(trees: Sequence[RawTree], gaps: bool) -> tuple[Soil, Soil]:
    """Return the rows that trees need as bins, and as floats; without `gaps` none is for gaps alone."""
    edges: dict[tuple[int, bool], set[float]] = {}
    for tree in trees:
        for k in np.flatnonzero(tree.low >= 0):
            key = int(tree.feature[k]), bool(gaps and not tree.gap_low[k])
            edges.setdefault(key, set()).add(limit_of(float(tree.threshold[k])))
    found = [(*key, tuple(sorted(edges[key]))) for key in sorted(edges)] or [(0, False, (0.0,))]
    parts = [(c, high, e[at : at + MOST]) for c, high, e in found for at in range(0, len(e), MOST)]
    bins, whole = (
        Soil(tuple(c for c, _, _ in of), tuple(h for _, h, _ in of), tuple(e for _, _, e in of))
        for of in (parts, found)
    )
    return bins, whole


def prefers_bins(trees: Sequence[RawTree], bins: Soil) -> bool:
    """Say whether bins take no more bytes than f32 thresholds, and finding them no more time than the walk.

    A split takes 4 bytes instead of 7, an edge 4. On a Cortex-M4 the search of a row, 8 turns, takes as long
    as SEARCH splits of a way, of which there are at least log2 of a tree's splits.
    """
    splits, edges = sum(int((t.low >= 0).sum()) for t in trees), sum(map(len, bins.edges))
    way = len(trees) * (1 + math.log2(1 + splits / len(trees)))
    return 4 * (edges + splits) <= 7 * splits and SEARCH * len(bins.source) <= way


def limit_of(threshold: float) -> float:
    """Return a threshold as a finite f32; what lies at the very ends counts as beyond all thresholds."""
    inside = np.nextafter(np.float32(FARTHEST), np.float32(0))
    return float(np.clip(np.float32(threshold), -inside, inside))


def binned(draft: Draft, soil: Soil, x: Node) -> Node:
    """Sort the readings into bins: u8, one for each row."""
    gap = tuple(MOST if high else 0 for high in soil.high)
    return Bins(soil.edges, soil.source, gap, "bins").trace(draft, x)


def floating(draft: Draft, soil: Soil, x: Node) -> Node:
    """Take the readings as they are: f32, one for each row, gaps far away on their side."""
    if soil.source != tuple(range(x.size)):
        x = letter.gather(x, letter.const(soil.source, "i32"))
    if any(soil.high):
        side = letter.const([FARTHEST if high else -FARTHEST for high in soil.high], "f32")
        x = letter.where(word.known(x), x, side)
    return x


def nested(tree: RawTree, code: NDArray[np.int64], soil: Soil, kind: str) -> Tree:
    """Return a tree in the form of program/tree.py, its leaves as codes; equal sides are one leaf.

    `kind` says what thresholds are: "bins" (places among a row's edges), "floats" or "octets" (u8).
    """
    places = {
        (column, side, edge): (k, j)
        for k, (column, side) in enumerate(zip(soil.source, soil.high, strict=True))
        for j, edge in enumerate(soil.edges[k])
    }
    whole: dict[int, Tree] = {}
    for k in reversed(_downwards(tree)):
        if tree.low[k] < 0:
            whole[k] = int(code[k])
            continue
        low, high = whole.pop(int(tree.low[k])), whole.pop(int(tree.high[k]))
        column, limit = int(tree.feature[k]), float(tree.threshold[k])
        if kind == "octets":
            part: Tree = (
                high if limit < 0 else low if limit >= 255 else (column, math.floor(limit), low, high)
            )
        else:
            edge = limit_of(limit)
            row, j = places.get((column, not tree.gap_low[k], edge)) or places[column, False, edge]
            part = (row, j if kind == "bins" else edge, low, high)
        whole[k] = low if isinstance(low, int) and low == high else part
    return whole[0]


def _downwards(tree: RawTree) -> list[int]:
    """Return the nodes that can be reached, each before those below it."""
    found: list[int] = []
    todo = [0]
    while todo:
        k = todo.pop()
        found.append(k)
        if tree.low[k] >= 0:
            todo += [int(tree.high[k]), int(tree.low[k])]
    return found


def voting(trees: Sequence[RawTree]) -> Codes:
    """Return for every node of every tree the class it stands for: the first of those worth most."""
    return [np.argmax(t.value, axis=1).astype(np.int64) for t in trees]


def worth(trees: Sequence[RawTree], bits: int = 32) -> tuple[Codes, Leaves]:
    """Return for every node the number of its leaf, and what the leaves are worth, in so many bits.

    Leaves of all trees share one table if that takes fewer bytes than a part of it for each tree.
    """
    shift = shift_of([t.value[t.low < 0] for t in trees], bits)
    values = [np.round(np.ldexp(t.value, shift)).astype(np.int64) for t in trees]
    own: list[dict[Row, int]] = []
    shared: dict[Row, int] = {}
    codes: Codes = []
    for tree, value in zip(trees, values, strict=True):
        mine: dict[Row, int] = {}
        code = np.zeros(len(value), np.int64)
        for k in np.flatnonzero(tree.low < 0):
            row = tuple(map(int, value[k]))
            code[k] = mine.setdefault(row, len(mine))
            shared.setdefault(row, len(shared))
        own.append(mine)
        codes.append(code)
    splits, width = sum(int((t.low >= 0).sum()) for t in trees), trees[0].value.shape[1]
    apart = 4 * width * sum(map(len, own)) + _link_bytes(max(map(len, own))) * splits
    together = 4 * width * len(shared) + _link_bytes(len(shared)) * splits
    if together <= apart and len(shared) < 2**15 - 1:
        again = [np.array([shared[row] for row in mine], np.int64) for mine in own]
        return [a[c] for a, c in zip(again, codes, strict=True)], Leaves(
            tuple(shared), (0,) * len(trees), shift
        )
    start = np.cumsum([0, *map(len, own)])[:-1]
    return codes, Leaves(tuple(row for mine in own for row in mine), tuple(map(int, start)), shift)


def moved(trees: Sequence[RawTree], shift: int) -> float:
    """Return by how much rounding to whole numbers of 2**-shift moves a sum of leaves at most.

    Every tree adds one leaf, so no more than the sum of each tree's worst; 0 where nothing is rounded.
    """
    each = (t.value[t.low < 0] for t in trees)
    return float(sum(np.abs(np.ldexp(np.round(np.ldexp(v, shift)), -shift) - v).max() for v in each))


def shift_of(leaves: Sequence[Floats], bits: int = 32) -> int:
    """Return how many binary digits behind the point fit.

    No leaf then takes more than so many bits, and no sum of leaves overflows 32.
    """
    greatest = max(float(np.abs(v).max()) for v in leaves)
    if greatest == 0:
        return 0
    room = min((2**31 - 1) // len(leaves) - 1, 2 ** (bits - 1) - 1)
    return max(-64, min(40, math.floor(math.log2(room / greatest))))


def _link_bytes(leaves: int) -> int:
    return 2 if leaves < (1 << NARROW) - 1 else 4
