"""Regrow: the trees of a forest read back from its parameters, whatever form they lie in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.grove import LINKS, SHORT
from bimetal.program.node import DTYPES
from bimetal.program.tree import Tree, packed
from bimetal.program.twig import BITS, FAR, THROUGH
from bimetal.targets.kernels.forest import ForestKernel

Values = Mapping[str, NDArray[Any]]
Sides = Callable[[int], tuple[int, int]]
"""What lies at the two sides of an entry: another entry, or -1 - leaf."""
MOST_SPLITS = 2**20


def linked(kernel: ForestKernel, values: Values) -> tuple[ForestKernel, Values] | None:
    """Return a forest in the form of links, whatever form it has; None where it holds no trees."""
    if kernel.form == LINKS:
        return kernel, values
    trees = trees_of(kernel, values)
    if trees is None:
        return None
    made, name = packed(trees), kernel.name
    found = {
        f"{name}_feature": np.array(made.feature),
        f"{name}_threshold": np.array(made.threshold, DTYPES[kernel.dtype]),
        f"{name}_link": np.array(made.link),
        f"{name}_root": np.array(made.root),
    }
    if kernel.in_places:
        found[f"{name}_start"] = np.arange(kernel.trees) << kernel.levels
    form = replace(kernel, form=LINKS, bits=made.bits, turns=made.turns, levels=0, leaves=0)
    return form, {**values, **found}


def trees_of(kernel: ForestKernel, values: Values) -> tuple[Tree, ...] | None:
    """Return the trees that a forest's parameters hold; leaves of complete crowns are their places.

    None where they hold none: a link leads back or out, or further than a walk goes. A split whose sides
    are the same leaf is that leaf.
    """
    reader = _Reader(kernel, values)
    found: list[Tree] = []
    for t in range(kernel.trees):
        tree = reader.tree(t)
        if tree is None:
            return None
        found.append(tree)
    return tuple(found)


class _Reader:
    def __init__(self, kernel: ForestKernel, values: Values) -> None:
        self.kernel = kernel
        self._values = values
        self._left = MOST_SPLITS
        crowned = kernel.form not in (LINKS, SHORT)
        self._feature, self._threshold = self._whole("cell_feature" if crowned else "feature"), []
        if not crowned or kernel.cells:
            self._threshold = self._raw("cell_threshold" if crowned else "threshold")
        self._marks = self._whole({LINKS: "link", SHORT: "twig"}.get(kernel.form, "child"))
        self._root = self._whole("stem" if crowned else "root")
        self._end = self._whole("end")
        self._crown = self._whole("crown_feature"), self._raw("crown_threshold")

    def _raw(self, kind: str) -> list[Any]:
        found = self._values.get(f"{self.kernel.name}_{kind}")
        return [] if found is None else np.asarray(found).reshape(-1).tolist()

    def _whole(self, kind: str) -> list[int]:
        return [int(v) for v in self._raw(kind)]

    def tree(self, t: int) -> Tree | None:
        if self.kernel.form == LINKS:
            return self._below(self._root[t], self.kernel.turns, self._linked)
        if self.kernel.form == SHORT:
            return self._below(self._root[t], self.kernel.turns, self._twigged)
        return self._crowned(t)

    def _crowned(self, t: int) -> Tree | None:
        """Put what lies below a crown together, level by level upwards."""
        own = 1 << self.kernel.levels
        heap: list[Tree] = [0] * own
        for k in range(own):
            part = k if self.kernel.in_places else self._at_end(t, k)
            if part is None:
                return None
            heap.append(part)
        feature, threshold = self._crown
        for place in range(own - 1, 0, -1):
            at = t * own + place
            heap[place] = _split(feature[at], threshold[at], heap[2 * place], heap[2 * place + 1])
        return heap[1]

    def _at_end(self, t: int, k: int) -> Tree | None:
        code = self._end[(t << self.kernel.levels) + k]
        if code < 0:
            return -1 - code
        return self._below(self._root[t] + code, self.kernel.turns, self._celled) if self._root else None

    def _below(self, root: int, turns: int, sides: Sides) -> Tree | None:
        """Put together what lies below an entry; nothing is recursive, so that depth costs no stack."""
        order: list[int] = []
        todo = [(root, 1)]
        while todo:
            at, depth = todo.pop()
            self._left -= 1
            if depth > turns or not 0 <= at < len(self._marks) or self._left < 0:
                return None
            order.append(at)
            todo += [(side, depth + 1) for side in sides(at) if side >= 0]
            if any(0 <= side <= at for side in sides(at)):
                return None
        whole: dict[int, Tree] = {}
        for at in sorted(set(order), reverse=True):
            low, high = (-1 - side if side < 0 else whole[side] for side in sides(at))
            whole[at] = _split(self._feature[at], self._threshold[at], low, high)
        return whole[root]

    def _linked(self, at: int) -> tuple[int, int]:
        link, through = self._marks[at], (1 << self.kernel.bits) - 1
        if link >= 0:
            return at + 1, link
        pair = -1 - link
        return self._pair(at, pair >> self.kernel.bits, pair & through, through)

    def _twigged(self, at: int) -> tuple[int, int]:
        twig = self._marks[at]
        if twig >= FAR:
            return at + 1, at + twig - (FAR - 1)
        return self._pair(at, twig >> BITS, twig & THROUGH, THROUGH)

    def _celled(self, at: int) -> tuple[int, int]:
        if at >= self.kernel.cells:
            return len(self._marks), len(self._marks)
        low, high = (at + c if c >= 0 else c for c in self._marks[2 * at : 2 * at + 2])
        return low, high

    @staticmethod
    def _pair(at: int, low: int, high: int, through: int) -> tuple[int, int]:
        return at + 1 if low == through else -1 - low, at + 1 if high == through else -1 - high


def _split(feature: int, threshold: Any, low: Tree, high: Tree) -> Tree:
    return low if isinstance(low, int) and low == high else (feature, threshold, low, high)
