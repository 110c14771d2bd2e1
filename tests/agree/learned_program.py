"""Learned programs: windows at random rates, statistics, octets, forests of every form, nets of i8."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program import letter, word
from bimetal.program.grove import LINKS, SHORT
from bimetal.program.node import Node
from bimetal.program.operators.dense_int8 import DenseInt8
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.peak import Peak
from bimetal.program.operators.rms import Rms
from bimetal.program.operators.zero_cross import ZeroCross
from bimetal.program.program import Draft, Program
from bimetal.program.tree import Tree

FEATURES = 5
FORMS = (LINKS, SHORT, "crown-1", "crown-3")
WHOLE = 127.0


def learned_program(seed: int) -> tuple[Program, dict[str, NDArray[Any]]]:
    """Return a program of one or two rates, with forests and a net, and its parameter values."""
    rng = np.random.default_rng(seed)
    draft = Draft("learned")
    whole = bool(rng.random() < 0.5)
    x = draft.input("x", "i16" if whole else "f32")
    signal = letter.cast(letter.cast(x, "i32"), "f32") if whole else word.otherwise(x, 0.0)
    for k in range(int(rng.integers(1, 3))):
        _branch(draft, signal, rng, f"b{k}")
    return draft.finish(), draft.values


def _branch(draft: Draft, signal: Node, rng: np.random.Generator, name: str) -> None:
    """A window of some size and hop, and all that is learned about it."""
    size = int(rng.integers(3, 12))
    window = word.window(draft, signal, size, int(rng.integers(2, size + 3)), f"{name}_ring")
    octets = _octets(draft, window, rng, name)
    form = str(rng.choice(FORMS))
    trees = tuple(_tree(rng, int(rng.integers(1, 5))) for _ in range(int(rng.integers(1, 7))))
    votes = Forest(trees, outputs=3, name=f"{name}_forest", form=form).trace(draft, octets)
    draft.output(f"{name}_votes", votes)
    net = letter.cast(letter.sub(letter.cast(octets, "i32"), 128), "i8")
    for layer, rows in enumerate((int(rng.integers(2, 9)), 3)):
        net = _layer(rng, rows, net.size, f"{name}_layer{layer}").trace(draft, net)
    draft.output(f"{name}_net", net)


def _octets(draft: Draft, window: Node, rng: np.random.Generator, name: str) -> Node:
    """Statistics of a window as u8; extremes saturate."""
    parts = [Rms().trace(draft, window), *Peak().trace(draft, window), ZeroCross().trace(draft, window)]
    found = letter.stack([letter.cast(p, "f32") if p.dtype == "i32" else p for p in parts])
    gain = draft.param(f"{name}_gain", rng.uniform(0.5, 40.0, FEATURES), low=0.0, high=1000.0)
    clipped = word.clip(letter.add(letter.mul(found, gain), WHOLE), 0.0, 255.0)
    return letter.cast(letter.cast(clipped, "i32"), "u8")


def _tree(rng: np.random.Generator, levels: int) -> Tree:
    """A random tree whose leaves are classes."""
    if levels == 0 or rng.random() < 0.2:
        return int(rng.integers(3))
    low, high = _tree(rng, levels - 1), _tree(rng, levels - 1)
    return (int(rng.integers(FEATURES)), int(rng.choice([0, 1, 127, 254, int(rng.integers(255))])), low, high)


def _layer(rng: np.random.Generator, rows: int, columns: int, name: str) -> DenseInt8:
    """A random layer; some of its weights are the extremes."""
    weights = rng.choice([-127, 127, 0, *map(int, rng.integers(-127, 128, 5))], (rows, columns))
    bias = rng.integers(-(2**15), 2**15, rows)
    scale = rng.choice([1, 2**14, 2**15 - 1], rows)
    return DenseInt8(
        tuple(tuple(map(int, row)) for row in weights),
        tuple(map(int, bias)),
        tuple(map(int, scale)),
        shift=int(rng.integers(15, 24)),
        positive=int(rng.integers(2)),
        name=name,
    )
