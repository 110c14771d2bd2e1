"""Runs: what a scorer asks of a program that is ready to run."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Runs(Protocol):
    """A program with its parameters, ready to run; a target's `Running` is one."""

    def run(self, state: bytes, rows: NDArray[Any]) -> tuple[bytes, NDArray[Any], NDArray[np.uint32]]:
        """Feed rows to one device in order; returns its state, the outputs and which clocks fired."""
        ...


class RunsMany(Runs, Protocol):
    """A program that takes many devices at once, as it may."""

    def run_devices(
        self, states: NDArray[np.uint8], rows: NDArray[Any]
    ) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint32]]:
        """Feed rows (D, n) to D devices with states (D, state bytes); the answers are those of `run`."""
        ...
