"""Twig: trees in three bytes a split, for few kinds of leaves and short ways.

The form for size. Splits stand as in tree.py, "this one, all below `low`, all below `high`"; `twig` is u8:

* FAR and more: both sides are splits, and `high` is that much less FAR, and one, further on;
* less: low * 8 + high, both sides as numbers of leaves 0..6, and 7 for the one that is the next split.

Declared ranges keep features inside, a step never leaves the arrays, and `turns` more entries stand at the
end for steps of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.tree import MOST_TURNS, Tree, depth_of, most_leaf

BITS = 3
THROUGH = (1 << BITS) - 1
FAR = 1 << 2 * BITS
MOST_FAR = 256 - FAR
"""How far `high` may be."""


@dataclass(frozen=True, slots=True)
class Twigs:
    """Trees as arrays: one entry a split, and where each tree starts; `turns` as in tree.py."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    twig: tuple[int, ...]
    root: tuple[int, ...]
    turns: int


def twigs(trees: Sequence[Tree]) -> Twigs:
    """Put trees into this form; raises BadProgram for leaves of a number above 6, and for long ways."""
    most = max((most_leaf(t) for t in trees), default=-1)
    turns = max(2, -(-max((depth_of(t) for t in trees), default=0) // 2) * 2)
    if not 0 <= most < THROUGH or turns > MOST_TURNS:
        raise BadProgram(
            f"leaves are numbered 0..{THROUGH - 1} here, not up to {most}, and levels at most {MOST_TURNS}, "
            f"not {turns}",
            where="tree",
        )
    writer = _Writer()
    root = tuple(writer.tree(t) for t in trees)
    blank = (0,) * turns
    return Twigs((*writer.feature, *blank), (*writer.threshold, *blank), (*writer.twig, *blank), root, turns)


class _Writer:
    """Writes splits in their order."""

    def __init__(self) -> None:
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.twig: list[int] = []

    def tree(self, tree: Tree) -> int:
        """Write a tree and return where it starts; one that is a leaf becomes a split with equal sides."""
        start = len(self.twig)
        todo: list[tuple[Tree, int]] = [((0, 0, tree, tree) if isinstance(tree, int) else tree, -1)]
        while todo:
            part, parent = todo.pop()
            assert not isinstance(part, int)
            at = len(self.twig)
            if parent >= 0:
                far = at - parent
                if far > MOST_FAR:
                    raise BadProgram(f"a side lies {far} splits further on, not {MOST_FAR}", where="tree")
                self.twig[parent] = FAR + far - 1
            feature, threshold, low, high = part
            self.feature.append(feature)
            self.threshold.append(threshold)
            sides = [side if isinstance(side, int) else THROUGH for side in (low, high)]
            self.twig.append(sides[0] << BITS | sides[1])
            both = sides == [THROUGH, THROUGH]
            if not isinstance(high, int):
                todo.append((high, at if both else -1))
            if not isinstance(low, int):
                todo.append((low, -1))
        return start


def twig_walk(draft: Draft, trees: Twigs, x: Node, name: str) -> Node:
    """Return the leaf (trees,) that x falls to in every tree, 0..7; i32.

    `x` is a vector, u8 or f32; thresholds are of its type. A NaN goes to `low`. Parameters:
    `<name>_feature`, `<name>_threshold` and `<name>_twig`, one entry a split, and `<name>_root` (trees,).
    Raises BadProgram for a feature that x does not have.
    """
    if len(x.shape) != 1 or x.dtype not in ("u8", "f32") or max(trees.feature) >= x.size:
        raise BadProgram(f"trees of features 0..{max(trees.feature)} cannot take {x!r}", where=name)
    last = len(trees.twig) - 1 - trees.turns
    small = "u8" if x.size <= 256 else "i16"
    feature = draft.param(f"{name}_feature", trees.feature, small, low=0, high=x.size - 1)
    threshold = draft.param(f"{name}_threshold", trees.threshold, x.dtype)
    twig = draft.param(f"{name}_twig", trees.twig, "u8")
    kind = "i16" if last < 2**15 else "i32"
    root = letter.cast(draft.param(f"{name}_root", trees.root, kind, low=0, high=last), "i32")

    def turn(carried: tuple[Node, ...], _: Node) -> tuple[Node]:
        (at,) = carried
        here = letter.maximum(letter.const(0, "i32"), at)
        value, limit = letter.gather(x, _whole(letter.gather(feature, here))), letter.gather(threshold, here)
        high = letter.lt(_whole(limit), _whole(value))
        to = _whole(letter.gather(twig, here))
        far = letter.add(here, letter.sub(to, FAR - 1))
        inside = letter.minimum(letter.const(last, "i32"), letter.maximum(here, far))
        leaf = letter.where(high, letter.band(to, THROUGH), letter.shr(to, BITS))
        after = letter.add(here, 1)
        ends = letter.where(letter.eq(leaf, THROUGH), after, letter.sub(-1, leaf))
        steps = letter.where(letter.lt(to, FAR), ends, letter.where(high, inside, after))
        return (letter.where(letter.lt(at, 0), at, steps),)

    (end,) = letter.scan(trees.turns, [root], turn)
    reached = letter.where(letter.lt(end, 0), letter.sub(-1, end), 0)
    return letter.band(reached, THROUGH)


def _whole(x: Node) -> Node:
    """Return what is compared or used as an index: stored whole numbers as i32, floats as they are."""
    return x if x.dtype == "f32" else letter.cast(x, "i32")
