"""Crown: trees whose upper levels are complete, so that a place there is found by doubling, not by a link.

The form for speed. The first `levels` splits of every tree lie as in a heap: the root is place 1, the sides
of place i are places 2i and 2i + 1 (there is nothing at place 0), and a split takes a feature and a
threshold. Where a tree ends earlier, both sides lead to the same. `end` says for every place below what
lies there:

* -1 - leaf, a leaf; or how far from `stem` of its tree a cell is;
* a cell is a split with two sides in `child`: -1 - leaf, or how many cells further on a side is.

Crowns as deep as their trees have no cells; `place_walk` then gives the place below itself, so that what
leaves are worth can be kept in the order of places. Declared ranges keep every entry inside.
Method: the layout of Eytzinger (see Khuong and Morin, Array layouts for comparison-based searching, 2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.tree import Tree, depth_of, most_leaf

MOST_LEVELS = 10
MOST_STEPS = 24
"""How many levels a crown may have, and how many cells may lie on a way below it."""


@dataclass(frozen=True, slots=True)
class Crowned:
    """Trees as arrays: crowns, what lies below them, and the cells there.

    `steps` are the most cells on a way, 0 for complete trees; `leaves` how many numbers leaves may have.
    `far` is the greatest step from a cell to another.
    """

    levels: int
    top: tuple[tuple[int, float], ...]
    end: tuple[int, ...]
    stem: tuple[int, ...]
    cells: tuple[tuple[int, float], ...]
    child: tuple[int, ...]
    steps: int
    leaves: int
    far: int


def crowned(trees: Sequence[Tree], levels: int, leaves: int = 0) -> Crowned:
    """Put trees into this form; leaves have numbers 0..leaves - 1, or as few as fit an octet.

    Raises BadProgram for a number of levels, of leaves or of steps that it cannot have.
    """
    most = max((most_leaf(t) for t in trees), default=-1)
    steps = max((depth_of(t) for t in trees), default=0) - levels
    leaves = leaves if 0 <= most < leaves else 128 if most < 128 else 2**15
    if not 1 <= levels <= MOST_LEVELS or not 0 <= most < leaves or steps > MOST_STEPS:
        raise BadProgram(
            f"a crown has 1..{MOST_LEVELS} levels and at most {MOST_STEPS} below, not {levels} and {steps}; "
            f"leaves are numbered 0..{2**15 - 1}, not up to {most}",
            where="tree",
        )
    writer = _Writer()
    tops: list[tuple[int, float]] = []
    below = [_below(tree, levels, tops) for tree in trees]
    ends: list[list[int]] = [[] for _ in trees]
    stem = [0] * len(trees)
    # The last tree's cells are the ones whose ends reach farthest: nothing is then needed behind them.
    for t in sorted(range(len(trees)), key=lambda t: _reach(below[t])):
        stem[t] = len(writer.cells)
        ends[t] = [writer.end(part, stem[t]) for part in below[t]]
    spare = max(0, steps - 1) * writer.far if writer.cells else 0
    return Crowned(
        levels,
        tuple(tops),
        tuple(e for own in ends for e in own),
        tuple(stem),
        (*writer.cells, *((0, 0),) * spare),
        (*writer.child, *(-1,) * (2 * spare)),
        max(steps, 0),
        leaves,
        max(writer.far, 1),
    )


def _below(tree: Tree, levels: int, tops: list[tuple[int, float]]) -> list[Tree]:
    """Add a tree's crown to `tops`, and return what lies below."""
    row: list[Tree] = [tree]
    tops.append((0, 0))
    for _ in range(levels):
        whole = [(0, 0, t, t) if isinstance(t, int) else t for t in row]
        tops += [(t[0], t[1]) for t in whole]
        row = [side for t in whole for side in t[2:]]
    return row


def _reach(below: list[Tree]) -> int:
    """Return how far from the first cell of a tree the last of its ends is, -1 where it has no cells."""
    sizes = [sum(1 for _ in splits_of(part)) for part in below]
    last = max((k for k, size in enumerate(sizes) if size), default=-1)
    return sum(sizes[:last]) if last >= 0 else -1


def splits_of(tree: Tree) -> Iterator[tuple[int, float, Tree, Tree]]:
    """Yield every split of a tree, one before those below it, below `low` before below `high`."""
    todo = [tree]
    while todo:
        part = todo.pop()
        if not isinstance(part, int):
            yield part
            todo += [part[3], part[2]]


class _Writer:
    """Writes cells."""

    def __init__(self) -> None:
        self.cells: list[tuple[int, float]] = []
        self.child: list[int] = []
        self.far = 0

    def end(self, part: Tree, stem: int) -> int:
        """Write the cells of what lies below a crown, and return what its end says."""
        if isinstance(part, int):
            return -1 - part
        start = len(self.cells)
        todo: list[tuple[Tree, int]] = [(part, -1)]
        while todo:
            split, place = todo.pop()
            assert not isinstance(split, int)
            at = len(self.cells)
            if place >= 0:
                self.child[place] = at - place // 2
                self.far = max(self.far, at - place // 2)
            self.cells.append((split[0], split[1]))
            self.child += [-1 - side if isinstance(side, int) else 0 for side in split[2:]]
            sides = ((split[3], 2 * at + 1), (split[2], 2 * at))
            todo += [(side, where) for side, where in sides if not isinstance(side, int)]
        return start - stem


def crown_walk(draft: Draft, crown: Crowned, x: Node, name: str) -> Node:
    """Return the leaf (trees,) that x falls to in every tree, 0..leaves - 1; i32.

    `x` is a vector, u8 or f32; thresholds are of its type. A NaN goes to `low`. Parameters:
    `<name>_crown_feature`, `<name>_crown_threshold`, `<name>_end` and, where there are cells, `<name>_stem`,
    `<name>_cell_feature`, `<name>_cell_threshold`, `<name>_child`. Raises BadProgram for a feature that x
    does not have.
    """
    place = place_walk(draft, crown, x, name)
    trees, most = place.size, max(0, *crown.end)
    below = letter.add(letter.mul(letter.iota(trees), 1 << crown.levels), place)
    kind = "i8" if crown.leaves <= 128 and most < 128 else "i16"
    high = most if crown.cells else -1
    end = draft.param(f"{name}_end", crown.end, kind, low=-crown.leaves, high=high)
    code = _whole(letter.gather(end, below))
    if crown.cells:
        code = _steps(draft, crown, x, name, code)
    return letter.where(letter.lt(code, 0), letter.sub(-1, code), 0)


def place_walk(draft: Draft, crown: Crowned, x: Node, name: str) -> Node:
    """Return the place (trees,) below the crowns that x falls to, 0..2**levels - 1; i32."""
    most = max(f for f, _ in (*crown.top, *crown.cells))
    if len(x.shape) != 1 or x.dtype not in ("u8", "f32") or most >= x.size:
        raise BadProgram(f"trees of features 0..{most} cannot take {x!r}", where=name)
    trees, own = len(crown.end) >> crown.levels, 1 << crown.levels
    feature = draft.param(
        f"{name}_crown_feature", [f for f, _ in crown.top], _small(x), low=0, high=x.size - 1
    )
    threshold = draft.param(f"{name}_crown_threshold", [t for _, t in crown.top], x.dtype)
    row = letter.mul(letter.iota(trees), own)
    place: Node = letter.const(1, "i32")
    for _ in range(crown.levels):
        at = letter.add(row, place)
        high = letter.lt(_whole(letter.gather(threshold, at)), _value(x, feature, at))
        place = letter.add(letter.mul(place, 2), letter.cast(high, "i32"))
    return letter.sub(place, own)


def _steps(draft: Draft, crown: Crowned, x: Node, name: str, code: Node) -> Node:
    """Go from cell to cell until there is a leaf, or no step is left."""
    last = max(crown.stem)
    many = len(crown.cells)
    stem = draft.param(f"{name}_stem", crown.stem, "i16" if many < 2**15 else "i32", low=0, high=last)
    feature = draft.param(
        f"{name}_cell_feature", [f for f, _ in crown.cells], _small(x), low=0, high=x.size - 1
    )
    threshold = draft.param(f"{name}_cell_threshold", [t for _, t in crown.cells], x.dtype)
    kind = "i8" if crown.leaves <= 128 and crown.far < 128 else "i16"
    child = draft.param(f"{name}_child", crown.child, kind, low=-crown.leaves, high=crown.far)
    zero = letter.const(0, "i32")
    at = letter.add(_whole(stem), letter.maximum(zero, code))
    for _ in range(crown.steps):
        high = letter.lt(_whole(letter.gather(threshold, at)), _value(x, feature, at))
        side = letter.add(letter.mul(at, 2), letter.cast(high, "i32"))
        code = letter.where(letter.lt(code, 0), code, _whole(letter.gather(child, side)))
        at = letter.add(at, letter.maximum(zero, code))
    return code


def _value(x: Node, feature: Node, at: Node) -> Node:
    return _whole(letter.gather(x, _whole(letter.gather(feature, at))))


def _small(x: Node) -> str:
    return "u8" if x.size <= 256 else "i16"


def _whole(x: Node) -> Node:
    """Return what is compared or used as an index: stored whole numbers as i32, floats as they are."""
    return x if x.dtype == "f32" else letter.cast(x, "i32")
