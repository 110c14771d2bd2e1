"""Vibration: the whole program of the small board (bench/cortex_m0.py), with what is learned made up.

Readings of three axes become windows, 33 features, octets; a net of i8 and boosted trees judge them.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from bench.cortex_m0 import AXES, CLASSES, DEPTH, INSIDE, ROUNDS, SIZE, Model, whole_features
from bimetal.learn.imports.net import Layer, net
from bimetal.program.tree import Tree
from bimetal.shrink.quantise import net_of

WINDOWS = 6
"""So many windows show how large features become."""


@functools.cache
def made_up() -> Model:
    """A model for readings like those of `shaken`: ranges that were seen, a net and trees of chance."""
    rng = np.random.default_rng(7)
    seen = whole_features(shaken(1, WINDOWS * SIZE).reshape(WINDOWS, SIZE, AXES))
    low, high = seen.min(axis=0).astype(int), np.maximum(seen.max(axis=0), seen.min(axis=0) + 32).astype(int)
    octets = np.clip(np.round((seen - low) * 255 / (high - low)), 0, 255) - 128.0
    shapes = zip(INSIDE[1:], INSIDE, strict=False)
    layers = [
        Layer(rng.normal(0, 1.5 * columns**-0.5, (rows, columns)), rng.normal(0, 4, rows), "relu")
        for rows, columns in shapes
    ]
    small = net_of(net(layers), octets, np.ones(INSIDE[0]), np.zeros(INSIDE[0]), to_the_end=False)
    values = tuple((int(v),) for v in rng.integers(-127, 128, ROUNDS * len(CLASSES) * 2**DEPTH))
    trees = tuple(_tree(rng, DEPTH, 0) for _ in range(ROUNDS * len(CLASSES)))
    start = tuple(k * 2**DEPTH for k in range(len(trees)))
    return Model(low, high, small, trees, values, start)


def _tree(rng: np.random.Generator, levels: int, leaf: int) -> Tree:
    """A complete tree; its leaves are counted from `leaf`."""
    if levels == 0:
        return leaf
    sides = (_tree(rng, levels - 1, leaf), _tree(rng, levels - 1, leaf + 2 ** (levels - 1)))
    return (int(rng.integers(INSIDE[0])), int(rng.integers(255)), *sides)


def shaken(seed: int, count: int) -> NDArray[np.int16]:
    """Return readings (count, AXES): tones, noise, and knocks that grow."""
    rng = np.random.default_rng(seed)
    at = np.arange(count)[:, None]
    tones = 900 * np.sin(at * rng.uniform(0.05, 2.5, AXES)) + rng.normal(0, 120, (count, AXES))
    knocks = (at % 37 == 5) * np.exp2(4 + 9 * at / count) * rng.choice([-1, 1], AXES)
    return np.clip(np.round(tones + knocks), -32768, 32767).astype(np.int16)


def extremes(count: int) -> NDArray[np.int16]:
    """Return readings (count, AXES) at both ends, at one end, and still."""
    swings = np.where(np.arange(count) % 2, 32767, -32768)
    return np.stack([swings, np.full(count, -32768), np.zeros(count)], axis=1).astype(np.int16)
