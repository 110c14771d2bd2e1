"""Grove: many trees in one of several forms: what they take in memory, and how fast they are walked.

| form | a split takes | what it is good for |
| --- | --- | --- |
| `links` | 4 bytes (feature, threshold, link), its leaves none | what anything is made with at first |
| `short` | 3 bytes | the smallest, for up to seven kinds of leaves |
| `crown-1` to `crown-10` | 2 bytes in so many upper levels, 4 below | speed, most where trees end there |

Bytes are for features of 8 bits. All say the same about every vector. The parameters of each are told in
tree.py, twig.py and crown.py; what leaves are worth are rows in `<name>_values`, of the narrowest whole
numbers that hold them, and the row that a tree's leaves start at in `<name>_start`; where crowns are
complete, values stand in the order of places instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.crown import MOST_LEVELS, Crowned, crown_walk, crowned, place_walk
from bimetal.program.node import Node
from bimetal.program.program import Draft
from bimetal.program.tree import Tree, added, packed, starts, summed, walk, worth_table
from bimetal.program.twig import twig_walk, twigs

LINKS, SHORT = "links", "short"
MOST_TREES = 2**15 - 1
Worth = tuple[NDArray[Any], Sequence[int]]
"""What leaves are worth: rows of whole numbers, and the row that each tree's leaves start at."""


@dataclass(frozen=True, slots=True)
class Form:
    """How trees lie in memory; `levels` are those of a crown, 0 for other forms."""

    name: str
    levels: int = 0


def form_of(name: str) -> Form:
    """Return a form by its name; raises BadProgram for one that there is none of."""
    if name in (LINKS, SHORT):
        return Form(name)
    kind, _, levels = name.partition("-")
    if kind == "crown" and levels.isascii() and levels.isdigit() and 1 <= int(levels[:4]) <= MOST_LEVELS:
        return Form(name, int(levels))
    raise BadProgram(
        f"there is no form {name[:40]!a} for trees",
        where="grove",
        hint=f"Forms are {LINKS}, {SHORT}, crown-1 to crown-{MOST_LEVELS}",
    )


def fall(draft: Draft, trees: Sequence[Tree], x: Node, name: str, form: Form, leaves: int = 0) -> Node:
    """Return the leaf (trees,) that x falls to in every tree; see tree.py for x.

    `leaves` may say that they are numbered 0..leaves - 1 for ever. Raises BadProgram where the form cannot
    have such trees.
    """
    _count(trees)
    if form.levels:
        return crown_walk(draft, crowned(trees, form.levels, leaves), x, name)
    if form.name == SHORT:
        return twig_walk(draft, twigs(trees), x, name)
    return walk(draft, packed(trees), x, name)


def worth_of(
    draft: Draft,
    trees: Sequence[Tree],
    x: Node,
    name: str,
    form: Form,
    worth: Worth,
    outputs: int,
    least: int = -(2**31),
) -> Node:
    """Return what the leaves that x falls to are worth together, i32 (outputs,); see `summed`.

    No number is ever less than `least`. Raises BadProgram as `fall` does.
    """
    _count(trees)
    rows, start = worth
    crown = crowned(trees, form.levels) if form.levels else None
    if crown and not crown.cells:
        table = worth_table(draft, f"{name}_values", _in_places(crown, worth), len(trees), least)
        return placed(place_walk(draft, crown, x, name), table, outputs)
    leaf = fall(draft, trees, x, name, form)
    table = worth_table(draft, f"{name}_values", rows, len(trees), least)
    return summed(leaf, table, starts(draft, f"{name}_start", start, len(rows)), outputs)


def _count(trees: Sequence[Tree]) -> None:
    if not 0 < len(trees) <= MOST_TREES:
        raise BadProgram(f"there may be 1..{MOST_TREES} trees, not {len(trees)}", where="grove")


def placed(place: Node, table: Node, outputs: int) -> Node:
    """Return what the places (trees,) below complete crowns are worth together, i32 (outputs,)."""
    own = table.shape[0] // place.size
    return added(table, letter.add(letter.mul(letter.iota(place.size), own), place), outputs)


def _in_places(crown: Crowned, worth: Worth) -> NDArray[Any]:
    rows, start = np.asarray(worth[0]), np.asarray(worth[1])
    leaf = -1 - np.asarray(crown.end).reshape(len(start), -1)
    return rows[np.minimum(start[:, None] + leaf, len(rows) - 1)].reshape(-1, rows.shape[1])
