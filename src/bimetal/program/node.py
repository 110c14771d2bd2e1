"""Node: one letter applied to others; the array graph that programs are written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARITHMETIC = ("f32", "i32")
STORAGE = ("i8", "u8", "i16")
DTYPES: dict[str, np.dtype[Any]] = {
    "f32": np.dtype("<f4"),
    "i32": np.dtype("<i4"),
    "i16": np.dtype("<i2"),
    "i8": np.dtype("i1"),
    "u8": np.dtype("u1"),
    "b1": np.dtype("u1"),
}
"""Element types. Arithmetic is done on f32 and i32 alone, so every lane is 32 bits wide and no
promotion rules exist; i8, u8, i16 only store; b1 is a truth value, stored as one byte 0 or 1."""


@dataclass(frozen=True, slots=True, order=True)
class Clock:
    """When something fires, counted in readings: at `first`, and every `period` from there on."""

    period: int = 1
    first: int = 0


EVERY = Clock()


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One letter with its arguments; compared by identity.

    `shape` is per device: the axis of devices is never written. `attr` belongs to the letter
    (see letter.py). `clock` is None for what never changes (constants, parameters, their kin).
    """

    op: str
    args: tuple[Node, ...]
    shape: tuple[int, ...]
    dtype: str
    attr: Any = None
    clock: Clock | None = None
    name: str = ""

    @property
    def size(self) -> int:
        """How many elements it has."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __repr__(self) -> str:
        return f"{self.op}{f' {self.name}' if self.name else ''}:{self.dtype}{list(self.shape)}"


def walk(roots: Iterable[Node]) -> Iterator[Node]:
    """Yield every node below the roots once, arguments before users (no recursion, no depth limit)."""
    seen: set[int] = set()
    for root in roots:
        stack: list[tuple[Node, int]] = [(root, 0)]
        while stack:
            node, at = stack.pop()
            if at == 0 and id(node) in seen:
                continue
            if at < len(node.args):
                stack += [(node, at + 1), (node.args[at], 0)]
            elif id(node) not in seen:
                seen.add(id(node))
                yield node


def constant(value: NDArray[Any] | float | int | bool, dtype: str) -> Node:
    """Return a constant of the given type; rounding to f32 happens here, once.

    The array is copied and frozen. Raises nothing: letter.const checks ranges.
    """
    array = np.array(value, dtype=DTYPES[dtype])
    array.setflags(write=False)
    return Node("const", (), array.shape, dtype, attr=array)
