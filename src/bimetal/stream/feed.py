"""Feed: how readings become the inputs of a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadProgram
from bimetal.program.layout import layout_of
from bimetal.program.program import Program


@dataclass(frozen=True, slots=True)
class Feed:
    """Which signal goes where: `signals[k]` into scalar input k, or into item k of the only input.

    A signal that a batch lacks is missing (NaN); signals that are not asked for are left out.
    Values are rounded to f32 once, here; one too large for f32 becomes infinite.
    """

    signals: tuple[str, ...]
    inputs: tuple[str, ...]
    row: np.dtype[Any]

    def rows(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Return readings in the order of `signals`, (n, s), as the program's input struct."""
        rows = np.zeros(len(values), self.row)
        with np.errstate(over="ignore"):
            if len(self.inputs) == 1 and self.row[self.inputs[0]].shape:
                rows[self.inputs[0]] = values
            else:
                for k, name in enumerate(self.inputs):
                    rows[name] = values[:, k]
        return rows

    def values(self, batch: Batch) -> NDArray[np.float64]:
        """Return the readings in the order of `signals`, (n, s)."""
        return align(batch, self.signals)


def align(batch: Batch, signals: Sequence[str]) -> NDArray[np.float64]:
    """Return a batch's readings with these signals as columns, NaN for those it lacks; to be read only."""
    if [s.name for s in batch.signals] == list(signals):
        return batch.values
    column_of = {s.name: k for k, s in enumerate(batch.signals)}
    values = np.full((len(batch), len(signals)), np.nan)
    for k, name in enumerate(signals):
        if name in column_of:
            values[:, k] = batch.values[:, column_of[name]]
    return values


def feed_of(program: Program, signals: Sequence[str]) -> Feed:
    """Match signals with a program's inputs in the order both are declared in.

    Raises BadProgram unless there is one f32 input with a place for every signal, or one scalar
    f32 input for every signal.
    """
    inputs = program.inputs
    whole = len(inputs) == 1 and inputs[0].shape == (len(signals),)
    scalars = len(inputs) == len(signals) and all(i.shape == () for i in inputs)
    if not (whole or scalars) or any(i.dtype != "f32" for i in inputs):
        taken = ", ".join(f"{i.name}: {i.dtype}{list(i.shape)}" for i in inputs)
        raise BadProgram(f"{len(signals)} signals do not fit the inputs {taken}", where=program.title)
    return Feed(tuple(signals), tuple(i.name for i in inputs), layout_of(program).input.dtype)
