"""Export: what formats of others have in common: the bound they keep to, and what is said beside a graph."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import Unsupported
from bimetal.program.digest import digest
from bimetal.program.program import Program
from bimetal.targets.pure import first_states, names_of

WITHIN = 1e-5
"""Of a result beside its law, relative to the larger of 1 and the law's size, for everyday readings.

Sums are the reason: others may add up in another order, so where large numbers cancel more is lost. What a
program decides differs only where it stands on the edge.
"""


def need(package: str, extra: str) -> None:
    """Raise Unsupported where a package is missing that writes a format."""
    if importlib.util.find_spec(package) is None:
        name = package.replace("_", "-")
        raise Unsupported(f"the package {name} is missing", where=extra, hint=f"pip install bimetal[{extra}]")


def said_of(program: Program) -> dict[str, str]:
    """Return what stands beside the graph of a program, as texts by name.

    `bimetal.states` is JSON: for every input that is a state, which output is its next value, and what it is
    at first.
    """
    first = first_states(program)
    states = {into: {"next": out, "first": first[into].tolist()} for into, out in names_of(program).values()}
    return {
        "bimetal.program": digest(program).hex(),
        "bimetal.states": json.dumps(states),
        "bimetal.within": str(WITHIN),
    }


def inside(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Return known values in the type they have inside a graph: f32, i32 or bool."""
    return (values != 0) if dtype == "b1" else values.astype(np.float32 if dtype == "f32" else np.int32)


def kind_of(dtype: str) -> str:
    """Return the type an element has inside a graph."""
    return dtype if dtype in ("f32", "b1") else "i32"
