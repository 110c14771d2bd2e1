"""Tables: the constants of a program that are read by a computed index, each as narrow as it can be."""

from __future__ import annotations

import numpy as np

from bimetal.program.node import DTYPES, Node
from bimetal.program.program import bounds_of
from bimetal.targets.loops import Buf, Table

NARROW = ("u8", "i8", "i16")


class Tables:
    """The tables of all stages of a program; equal ones are one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, bytes], Table] = {}

    @property
    def found(self) -> tuple[Table, ...]:
        """Every table, in the order in which they were asked for."""
        return tuple(self._found.values())

    def of(self, node: Node) -> Buf:
        """Return the table of a constant; whole numbers are stored in the narrowest type that holds them.

        Names of values end in `_` and a number, so that none is the name of a table.
        """
        dtype = narrowest(node)
        values = node.attr.reshape(-1).astype(DTYPES[dtype])
        key = dtype, values.tobytes()
        if key not in self._found:
            buf = Buf("table", f"table{len(self._found) + 1}", dtype, values.size)
            self._found[key] = Table(buf, values)
        return self._found[key].buf


def narrowest(node: Node) -> str:
    """Return the storage type for a constant's values."""
    if node.dtype != "i32":
        return node.dtype
    for dtype in NARROW:
        low, high = bounds_of(dtype)
        if np.all((node.attr >= low) & (node.attr <= high)):
            return dtype
    return "i32"
