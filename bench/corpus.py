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
from bimetal.program.program import Draft, Program
from bimetal.targets.kernels.forest import ForestKernel
from bimetal.targets.kernels.layer import LayerKernel
from bimetal.targets.loops import Call, For, Lowered, Stmt
from tests.agree.random_program import random_program

FOLDS = 8
ROUNDS = 12
UPPER = 0.97
"""Which part of all programs should lie below what is told as the most."""

NAME = "p"
"""What every program is called in C."""


LAYERS = frozenset(["layer", "kind of layer", "product", "tap", "layer end", "held byte"])
"""What layers of nets cost was measured apart: these rates are handed on as they are."""


def measured_apart(lowered: Lowered) -> bool:
    """Say whether a program has kernels whose cost was measured apart: layers of nets, and forests."""
    return any(is_kernel(statement) for stage in lowered.stages for statement in stage.body)


def is_kernel(statement: Stmt) -> bool:
    """Say whether a statement, or one within it, calls a layer of a net or a forest."""
    if isinstance(statement, For):
        return any(is_kernel(inner) for inner in statement.body)
    return isinstance(statement, Call) and isinstance(statement.kernel, LayerKernel | ForestKernel)


def programs() -> Iterator[tuple[str, Program, bytes]]:
    """What is compiled: a name, a program, and parameters for it."""
    for name, kind in operators().items():
        for k, example in enumerate(kind.examples()):
            program, values = wire(example.operator, example.signals)
            yield f"{name} {k}", program, pack(program, values)
    for signals in (1, 2, 3, 4, 6, 8, 12, 16, 24, 38):
        for siblings in (False, True)[:signals]:
            program, draft = detector_program(
                Design(signals, siblings=siblings), [f"x{k}" for k in range(signals)]
            )
            yield f"detector {signals}", program, pack(program, draft.values)
    for size in (8, 32, 128, 500):
        yield from _windowed(size)
    for seed in range(40):
        program, values = random_program(seed)
        yield f"random {seed}", program, pack(program, values)


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


def written(weights: np.ndarray, names: Sequence[str], before: Mapping[str, float]) -> str:
    """Return weights as they stand in figures.py, with those of layers as they were before."""
    found = {n: f"{x:.2f}" for n, x in zip(names, weights, strict=True) if x >= 0.005}
    found |= {n: repr(x) for n, x in before.items() if n in LAYERS}
    return "{" + ", ".join(f'"{n}": {x}' for n, x in sorted(found.items())) + "}"
