"""Blend: trees as a list of comparisons, each of which blends what lies below it, for many devices at once.

Nothing branches: every split of a tree is asked for all devices, the deepest first, and takes for each
the leaf of the side it goes to. Method: Lucchese and others, QuickScorer, 2015, and Ye and others,
RapidScorer, 2018, turn the walk round as well.

A record is five u16: what it compares (16 bytes of memory a unit, from where the readings start), the two
sides and where the result goes (units from 0), and the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.targets.kernels.forest import ForestKernel

DEVICES = 128
"""How many devices are run at once."""
UNIT = 16
ROW = DEVICES // UNIT
LEAVES = 128
FIRST = 1
"""The unit at which the leaves start, each a row of its own number; slots for results come after them."""

RECORD = np.dtype([("x", "<u2"), ("low", "<u2"), ("high", "<u2"), ("to", "<u2"), ("threshold", "<u2")])


@dataclass(frozen=True, slots=True, eq=False)
class Blending:
    """Records of all trees one after the other, how many each tree has, and how many slots they take."""

    records: NDArray[Any]
    counts: NDArray[np.int64]
    slots: int

    @property
    def free(self) -> int:
        """The first byte after leaves and slots."""
        return (FIRST + (LEAVES + self.slots) * ROW) * UNIT


def blending(kernel: ForestKernel, values: Mapping[str, NDArray[Any]]) -> Blending | None:
    """Return the records of a forest's parameters.

    None where they are no trees (a link leads back, or further than a walk goes), where leaves have
    numbers of more than 7 bits or features are no octets: the letters then say what happens.
    """
    if kernel.dtype != "u8" or 1 << kernel.bits != LEAVES:
        return None
    part = {k: _whole(values[f"{kernel.name}_{k}"]) for k in ("feature", "threshold", "link", "root")}
    writer = _Writer(kernel, part)
    counts: list[int] = []
    for root in part["root"]:
        before = len(writer.records)
        if not writer.tree(root):
            return None
        counts.append(len(writer.records) - before)
    return Blending(np.array(writer.records, RECORD), np.array(counts), 2 * (kernel.turns + 2))


def _whole(values: NDArray[Any]) -> list[int]:
    return [int(v) for v in np.asarray(values).reshape(-1)]


class _Writer:
    def __init__(self, kernel: ForestKernel, part: Mapping[str, list[int]]) -> None:
        self.kernel = kernel
        self.feature, self.threshold, self.link = part["feature"], part["threshold"], part["link"]
        self.most = 2 * len(self.link)
        self.records: list[tuple[int, int, int, int, int]] = []

    def tree(self, root: int) -> bool:
        """Write a tree, what is below a split before it; False where it is none.

        A result takes the slot of its level and side: no other is alive there until it is blended.
        """
        order: list[tuple[int, int, int]] = []
        todo = [(root, 1, 0)]
        while todo:
            at, depth, which = todo.pop()
            order.append((at, depth, which))
            if depth > self.kernel.turns or len(self.records) + len(order) > self.most:
                return False
            for k, side in enumerate(self._sides(at)):
                if side >= 0:
                    if side <= at or side >= len(self.link):
                        return False
                    todo.append((side, depth + 1, k))
        for at, depth, which in reversed(order):
            low, high = (
                _slot(depth + 1, k) if side >= 0 else _row(-1 - side)
                for k, side in enumerate(self._sides(at))
            )
            to = _slot(depth, which)
            self.records.append((self.feature[at] * ROW, low, high, to, self.threshold[at]))
        return True

    def _sides(self, at: int) -> tuple[int, int]:
        """Return what lies at the two sides of a split: an entry, or -1 - leaf."""
        link = self.link[at]
        if link >= 0:
            return at + 1, link
        sides = (-1 - link) >> self.kernel.bits, (-1 - link) & (LEAVES - 1)
        low, high = (at + 1 if leaf == LEAVES - 1 else -1 - leaf for leaf in sides)
        return low, high


def _row(number: int) -> int:
    return FIRST + number * ROW


def _slot(depth: int, which: int) -> int:
    return _row(LEAVES + 2 * depth + which)
