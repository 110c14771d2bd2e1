"""Corpus: the programs whose code is weighed and timed, and how figures are fitted to them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bimetal.learn.detector import Design, detector_program
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.node import Node
from bimetal.program.operator import operators, wire
from bimetal.program.operators.dense_int8 import DenseInt8
from bimetal.program.operators.forest import Forest
from bimetal.program.program import Draft, Program
from bimetal.program.tree import Tree
from tests.agree.random_program import random_program

FOLDS = 8
ROUNDS = 12
UPPER = 0.97
"""Which part of all programs should lie below what is told as the most."""

NAME = "p"
"""What every program is called in C."""


def programs() -> Iterator[tuple[str, Program, bytes]]:
    """What is compiled: a name, a program, and parameters for it."""
    for name, kind in operators().items():
        for k, example in enumerate(kind.examples()):
            program, values = wire(example.operator, example.signals)
            yield f"{name} {k}", program, pack(program, values)
    for signals in (1, 2, 3, 4, 6, 8, 12, 16, 24, 38):
        program, draft = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
        yield f"detector {signals}", program, pack(program, draft.values)
    yield from _grown()
    for seed in range(40):
        program, values = random_program(seed)
        yield f"random {seed}", program, pack(program, values)


def _grown() -> Iterator[tuple[str, Program, bytes]]:
    """Forests of several sizes, and dense layers, as learning makes them."""
    rng = np.random.default_rng(1)

    def tree(depth: int) -> Tree:
        if depth == 0 or rng.random() < 0.1:
            return int(rng.integers(4))
        return (int(rng.integers(12)), float(rng.integers(256)), tree(depth - 1), tree(depth - 1))

    octets, floats = np.zeros((1, 12), np.uint8), np.zeros((1, 12))
    for count, depth in ((1, 3), (5, 4), (10, 8), (30, 5), (60, 7)):
        trees = tuple(tree(depth) for _ in range(count))
        worth = tuple((int(w),) for w in rng.integers(-99, 99, 4 * count))
        start = tuple(range(0, 4 * count, 4))
        for k, (made, x) in enumerate(
            (
                (Forest(trees, outputs=4), octets),
                (Forest(trees, outputs=4), floats),
                (Forest(trees, worth, start, outputs=1), octets),
            )
        ):
            program, values = wire(made, (x,))
            yield f"forest grown {count} {k}", program, pack(program, values)
    for size in (8, 32, 128, 500):
        yield from _windowed(size)
    for size, many in ((8, 4), (32, 16), (64, 33)):
        weights = tuple(map(tuple, rng.integers(-127, 128, (many, size)).tolist()))
        layer = DenseInt8(weights, (0,) * many, (1 << 15,) * many)
        program, values = wire(layer, (np.zeros((1, size), np.int8),))
        yield f"dense_int8 grown {size}", program, pack(program, values)


def _windowed(size: int) -> Iterator[tuple[str, Program, bytes]]:
    """What is often computed of a window, and what lies in a ring with a head."""
    for name, of in STATISTICS.items():
        for hop in (size, size // 2):
            draft = Draft(name)
            items = word.window(draft, draft.input("x"), size, hop)
            draft.output("y", of(items))
            program = draft.finish()
            yield f"{name} grown {hop}/{size}", program, pack(program, draft.values)


STATISTICS: dict[str, Callable[[Node], Node]] = {
    "total": word.total,
    "energy": lambda x: word.total(letter.mul(x, x)),
    "largest": lambda x: letter.reduce(letter.maximum(letter.neg(x), x), "max"),
    "above": lambda x: letter.reduce(letter.cast(letter.lt(letter.const(0.5, "f32"), x), "i32")),
}


def family(name: str) -> str:
    """Return what programs belong together: examples of one operator, one forest on several inputs."""
    words = name.split()
    return name if words[0] == "random" else " ".join(words[:3] if "grown" in words else words[:1])


class Fit:
    """Non-negative weights of features, fitted on the error relative to target + small.

    `upper` is 0.5 for what lies in the middle (least squares), more for what so large a part lies below
    (quantile regression: Koenker and Bassett, 1978, by reweighting). `guess` is for programs whose
    family was not fitted to: families are held out together, so that no fold has seen their like.
    """

    def __init__(
        self,
        features: np.ndarray,
        target: np.ndarray,
        small: float,
        families: Sequence[str],
        upper: float = 0.5,
    ) -> None:
        self.weights = _weights(features, target, small, upper)
        self.guess = np.zeros(len(target))
        names = sorted(set(families))
        order = np.random.default_rng(1).permutation(len(names))
        fold = {names[k]: place % FOLDS for place, k in enumerate(order)}
        held = np.array([fold[f] for f in families])
        for k in range(FOLDS):
            kept = held != k
            self.guess[~kept] = features[~kept] @ _weights(features[kept], target[kept], small, upper)
        self.short = np.maximum(target - self.guess, 0.0) / (self.guess + small)
        """By which part of guess + small a guess is too low."""


def _weights(features: np.ndarray, target: np.ndarray, small: float, upper: float) -> np.ndarray:
    scale = target + small
    a, b = features / scale[:, None], target / scale
    weight = np.ones(len(b))
    found = _least_squares(a, b)
    for _ in range(ROUNDS if upper != 0.5 else 0):
        off = b - a @ found
        weight = np.sqrt(np.where(off > 0, upper, 1 - upper) / np.maximum(np.abs(off), 0.02))
        found = _least_squares(a * weight[:, None], b * weight)
    return found


def _least_squares(a: np.ndarray, b: np.ndarray, turns: int = 1000) -> np.ndarray:
    """Non-negative, by cyclic descent."""
    gram, right = a.T @ a + 1e-9 * np.eye(a.shape[1]), a.T @ b
    w = np.zeros(a.shape[1])
    for _ in range(turns):
        for k in range(len(w)):
            w[k] = max(0.0, w[k] + (right[k] - gram[k] @ w) / gram[k, k])
    return w


def table(kinds: Sequence[Mapping[str, int]], names: Sequence[str]) -> np.ndarray:
    """Return counted kinds as rows of features."""
    return np.array([[counted.get(name, 0) for name in names] for counted in kinds], float)


def written(weights: np.ndarray, names: Sequence[str]) -> str:
    """Return weights as they stand in figures.py."""
    pairs = (f'"{n}": {x:.2f}' for n, x in zip(names, weights, strict=True) if x >= 0.005)
    return "{" + ", ".join(pairs) + "}"
