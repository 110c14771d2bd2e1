"""Blend: trees as a list of comparisons, each of which blends what lies below it, for many devices at once.

Nothing branches: every split of a tree is asked for all devices, the deepest first, and takes for each
the leaf of the side it goes to. Method: Lucchese and others, QuickScorer, 2015, and Ye and others,
RapidScorer, 2018, turn the walk round as well.

A record is four u32, in bytes: what it compares, from where a block's readings start, the two sides and where
the result goes; and the threshold. Octets and thresholds have their highest bit turned, so that they are
compared as signed: there is an instruction for that on every processor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.tree import NARROW
from bimetal.targets.kernels.forest import ForestKernel

DEVICES = 128
"""How many devices are run at once."""
UNIT = 16
ROW = DEVICES // UNIT
LEAVES = 128
"""How many leaves a tree may have: each a row of its own number."""
FIRST = 1
"""The unit at which the leaves start; slots for results come after them."""
MOST_EDGES = 255

RECORD = np.dtype([("x", "<u4"), ("low", "<u4"), ("high", "<u4"), ("to", "<u4"), ("threshold", "<u4")])
TURNED = 0x80
MOST_OCTETS = 2**12
"""How many octets of a device a forest may look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Octets in the place of floats: how many of a feature's thresholds are less than a value.

    `edges` has the ascending thresholds of every feature; more than 255 of them take several octets.
    """

    edges: tuple[NDArray[np.float32], ...]

    @property
    def starts(self) -> list[int]:
        """Where the octets of every feature start, and how many there are in all."""
        wide = [-(-len(e) // MOST_EDGES) for e in self.edges]
        return [0, *np.cumsum(wide).tolist()]

    def placed(self, feature: int, threshold: float) -> tuple[int, int]:
        """Return the octet, and the threshold for it, that a split compares."""
        at = int(np.searchsorted(self.edges[feature], np.float32(threshold)))
        return self.starts[feature] + at // MOST_EDGES, at % MOST_EDGES

    @property
    def parts(self) -> list[tuple[int, NDArray[np.float32]]]:
        """The feature of every octet, and the edges that it counts."""
        return [
            (f, edges[at : at + MOST_EDGES])
            for f, edges in enumerate(self.edges)
            for at in range(0, len(edges), MOST_EDGES)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Blending:
    """Records of all trees one after the other, how many each has, and what its leaves are called.

    Leaf k of tree t is `leaves[t][k]` in the parameters. `grid` makes octets of floats, None where the
    features are octets already; `octets` is how many there are.
    """

    records: NDArray[Any]
    counts: NDArray[np.int64]
    leaves: tuple[tuple[int, ...], ...]
    slots: int
    octets: int
    grid: Grid | None

    @property
    def free(self) -> int:
        """The first byte after leaves and slots."""
        return (FIRST + (LEAVES + self.slots) * ROW) * UNIT


def blending(kernel: ForestKernel, values: Mapping[str, NDArray[Any]]) -> Blending | None:
    """Return the records of a forest's parameters.

    None where they are no trees (a link leads back, or further than a walk goes), one has too many
    leaves, or there are too many features: the letters then say what happens.
    """
    grid = _grid(kernel, values) if kernel.dtype == "f32" else None
    octets = grid.starts[-1] if grid else kernel.features
    if octets > MOST_OCTETS:
        return None
    writer = _Writer(kernel, values, grid)
    counts: list[int] = []
    leaves: list[tuple[int, ...]] = []
    for root in _whole(values[f"{kernel.name}_root"]):
        before = len(writer.records)
        found = writer.tree(root)
        if found is None:
            return None
        leaves.append(found)
        counts.append(len(writer.records) - before)
    records = np.array(writer.records, RECORD)
    return Blending(records, np.array(counts), tuple(leaves), 2 * (kernel.turns + 2), octets, grid)


def _grid(kernel: ForestKernel, values: Mapping[str, NDArray[Any]]) -> Grid:
    feature, threshold = (np.asarray(values[f"{kernel.name}_{k}"]) for k in ("feature", "threshold"))
    return Grid(tuple(np.unique(threshold[feature == f].astype(np.float32)) for f in range(kernel.features)))


def _whole(values: NDArray[Any]) -> list[int]:
    return [int(v) for v in np.asarray(values).reshape(-1)]


class _Writer:
    def __init__(self, kernel: ForestKernel, values: Mapping[str, NDArray[Any]], grid: Grid | None) -> None:
        self.kernel = kernel
        self.feature, self.link = (_whole(values[f"{kernel.name}_{k}"]) for k in ("feature", "link"))
        self.threshold = np.asarray(values[f"{kernel.name}_threshold"]).reshape(-1).tolist()
        self.grid = grid
        self.through = (1 << kernel.bits) - 1
        self.most = 2 * len(self.link)
        self.records: list[tuple[int, int, int, int, int]] = []

    def tree(self, root: int) -> tuple[int, ...] | None:
        """Write a tree, what is below a split before it; return its leaves, None where it is no tree.

        A result takes the slot of its level and side: no other is alive there until it is blended.
        """
        order: list[tuple[int, int, int]] = []
        todo = [(root, 1, 0)]
        while todo:
            at, depth, which = todo.pop()
            order.append((at, depth, which))
            if depth > self.kernel.turns or len(self.records) + len(order) > self.most:
                return None
            for k, side in enumerate(self._sides(at)):
                if side >= 0:
                    if side <= at or side >= len(self.link):
                        return None
                    todo.append((side, depth + 1, k))
        leaves: dict[int, int] = {}
        for at, depth, which in reversed(order):
            low, high = (self._unit(side, depth, k, leaves) for k, side in enumerate(self._sides(at)))
            x, threshold = self._asked(at)
            self.records.append((x * DEVICES, low, high, _slot(depth, which), threshold ^ TURNED))
        return tuple(leaves) if len(leaves) <= LEAVES else None

    def _unit(self, side: int, depth: int, which: int, leaves: dict[int, int]) -> int:
        if side >= 0:
            return _slot(depth + 1, which)
        leaf = -1 - side  # a class keeps its number
        return _row(leaves.setdefault(leaf, len(leaves)) % LEAVES if self.kernel.rows else leaf)

    def _asked(self, at: int) -> tuple[int, int]:
        if self.grid is None:
            return self.feature[at], int(self.threshold[at])
        return self.grid.placed(self.feature[at], self.threshold[at])

    def _sides(self, at: int) -> tuple[int, int]:
        """Return what lies at the two sides of a split: an entry, or -1 - leaf."""
        link = self.link[at]
        if link >= 0:
            return at + 1, link
        sides = (-1 - link) >> self.kernel.bits, (-1 - link) & self.through
        low, high = (at + 1 if leaf == self.through else -1 - leaf for leaf in sides)
        return low, high


def fits(kernel: ForestKernel) -> bool:
    """Say whether the leaves of a forest have numbers that can be blended: of rows, or of few classes."""
    few = kernel.leaves <= LEAVES if kernel.leaves else kernel.bits <= NARROW
    return bool(kernel.rows) or few


def _row(number: int) -> int:
    return FIRST * UNIT + number * DEVICES


def _slot(depth: int, which: int) -> int:
    return _row(LEAVES + 2 * depth + which)
