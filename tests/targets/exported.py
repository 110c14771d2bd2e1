"""Exported: models in the formats of others, run by their runtimes and held to the law."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import Error
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.export import WITHIN
from bimetal.targets.numpy import NumpyTarget
from tests.agree.case import Case, Run

RUNS = ("its example", "plain", "everyday 1", "gaps 1")
"""Everyday readings. What is infinite, or almost, others treat otherwise."""
Arrays = dict[str, NDArray[Any]]
Call = Callable[[Arrays], Arrays]
Play = Callable[[bytes], tuple[Call, dict[str, Any], dict[str, Any]]]
"""From a model to what runs it, the types of its inputs, and what it says of its states."""


def played(model: bytes, play: Play, program: Program, rows: NDArray[Any]) -> NDArray[Any]:
    """Return the results of readings, the state handed on from call to call."""
    call, types, states = play(model)
    held = {name: np.array(s["first"], types[name]) for name, s in states.items()}
    outputs = np.zeros(len(rows), layout_of(program).output.dtype)
    for t in range(len(rows)):
        given = {n: np.array(rows[n][t]).astype(types[n]) for n in rows.dtype.names or ()}
        found = call(given | held)
        for name in outputs.dtype.names or ():
            outputs[name][t] = found[name]
        held = {name: found[s["next"]] for name, s in states.items()}
    return outputs


def states_in(said: str) -> dict[str, Any]:
    """Return what a model says of its states."""
    return json.loads(said)


def difference(found: NDArray[Any], right: NDArray[Any]) -> str:
    """Return the first output beyond the bound in words, "" where all are within; NaN agrees with NaN."""
    for name in right.dtype.names or ():
        a, b = (x[name].astype(np.float64) for x in (found, right))
        with np.errstate(invalid="ignore"):
            off = np.abs(a - b) / np.maximum(1, np.abs(b))
        off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, off)
        beyond = ~(off <= WITHIN)
        if beyond.any():
            row = int(np.argwhere(beyond)[0][0])
            return f"{name} in row {row} is {found[name][row]}, not {right[name][row]}"
    return ""


def verdict(case: Case, write: Callable[[Program, bytes], bytes], play: Play) -> str:
    """Return where a case first leaves the bound, or what the exporter says; "" where it agrees."""
    for run in some(case):
        try:
            model = write(case.program, run.block)
        except Error as error:
            return error.sentence()
        law = NumpyTarget().load(case.program, run.block).run(initial_state(case.program), run.rows)
        text = difference(played(model, play, case.program, run.rows), law[1])
        if text:
            return f"{run.name}: {text}"
    return ""


def some(case: Case) -> Iterator[Run]:
    """Yield the runs of a case with everyday readings."""
    yield from (run for run in case.runs if run.name in RUNS)
