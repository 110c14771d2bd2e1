"""Foreign: what every importer makes of a model, whatever it came from: steps, scores, an ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.program.node import Node
from bimetal.program.program import Draft

Floats = NDArray[np.float64]
Transform = Callable[[Floats], Any]

LE_F32, LE_F64, LT_F32 = "f32(x) <= threshold", "x <= threshold", "f32(x) < threshold"
"""How libraries decide at a split whether a value goes to the low side."""


class Step(Protocol):
    """Something that is done to the signals before they are scored."""

    def trace(self, draft: Draft, x: Node, name: str) -> Node:
        """Spell it in letters for an f32 vector."""
        ...


@dataclass(frozen=True, slots=True)
class Columns:
    """A step that treats every column alone and keeps their order: bigger in, never smaller out.

    `transform` is the library's own, on rows of f64; `spelled` says the same in letters.
    """

    transform: Transform
    spelled: Callable[[Draft, Node, str], Node]

    def trace(self, draft: Draft, x: Node, name: str) -> Node:
        """Spell it in letters."""
        return self.spelled(draft, x, name)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A step that mixes the columns."""

    spelled: Callable[[Draft, Node, str], Node]

    def trace(self, draft: Draft, x: Node, name: str) -> Node:
        """Spell it in letters."""
        return self.spelled(draft, x, name)


@dataclass(frozen=True, slots=True, eq=False)
class RawTree:
    """A tree as its maker has it: one entry a node, the root first.

    `low` and `high` are the nodes of the two sides, -1 in a leaf; `gap_low` says whether a missing value
    goes to the low side; `value` (nodes, outputs) is what a leaf is worth.
    """

    feature: NDArray[np.int64]
    threshold: Floats
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    gap_low: NDArray[np.bool_]
    value: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Scores from trees: the sums of what the leaves are worth, times `scale`, plus `bias` (outputs,).

    `rule` is how a split decides. Where leaves hold one number, tree t counts for output t modulo
    outputs. With `votes` a leaf is a class, the first whose value is the greatest.
    """

    trees: tuple[RawTree, ...]
    rule: str
    outputs: int
    scale: float
    bias: tuple[float, ...]
    votes: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Isolation:
    """Scores from an isolation forest: values of leaves are ways, `usual` the usual mean way."""

    trees: tuple[RawTree, ...]
    rule: str
    usual: float


Spelled = Callable[[Draft, Node], Node]


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """Scores spelled in letters at once, from an f32 vector."""

    spelled: Spelled


def rows_of(matrix: NDArray[Any]) -> tuple[tuple[float, ...], ...]:
    """Return a matrix as operators take it."""
    return tuple(tuple(map(float, row)) for row in matrix)


Scores = Trees | Isolation | Formula
SHARES, LOGIT, SOFTMAX, EACH, VALUE, POWER, OUTLIER, CLUSTER = (
    "shares", "logit", "softmax", "each", "value", "power", "outlier", "cluster",
)  # fmt: skip
"""What scores mean: shares of the classes; the logit of the second of two; logits whose softmax, or each
whose logistic, is a share; a value; its logarithm; how strange it is; distances from centres."""


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """A model of another library in our words: columns in, steps, scores, and what the scores mean.

    `labels` names the classes; `limit` is the score beyond which a row is an outlier; `bound` says in words
    how far scores may be from the library's.
    """

    title: str
    columns: int
    steps: tuple[Step, ...]
    scores: Scores
    ending: str
    labels: tuple[str, ...] = ()
    limit: float = 0.0
    bound: str = ""
