"""Target: a place a program can run, and which of them is the fastest here."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.program.program import Program


class Running(Protocol):
    """A program with its parameters, ready to run; it keeps no state of its own."""

    def run(self, state: bytes, rows: NDArray[Any]) -> tuple[bytes, NDArray[Any], NDArray[np.uint32]]:
        """Feed one device rows (n,) of the input struct, in order.

        Returns its state, outputs (n,) of the output struct, and for each row which clocks fired
        (bit k: the k-th of program.clocks).
        """
        ...


class Target(Protocol):
    """A place a program can run."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def present(self) -> str:
        """Return "" where it can run here, else why not and what would change that."""
        ...

    def load(self, program: Program, block: bytes) -> Running:
        """Make a program ready with its parameter block; raises BadInput when the block does not fit."""
        ...
