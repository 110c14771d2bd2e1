"""Lanes: devices side by side, one in each lane of a vector; what they share, and where things lie.

Scratch memory and the structs of devices are strips then: every element is a 32-bit word, whatever its
type, and the words of all lanes stand side by side. Parameters and tables are the same for all lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.layout import Layout, Layouts, wait_of
from bimetal.program.node import DTYPES, EVERY, Clock
from bimetal.targets.loops import At, Expr, For, Let, Lit, Op, Read, Ref, Set, Stmt, Var, statements

WORD = 4
"""Bytes of an element of one lane."""

Answers = tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint32]]
"""States (D, state bytes), outputs (D, n), fired (D, n)."""

ONE_FOR_ALL = ("params", "table")
"""Memory that lanes share."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Where each field of a struct starts, in elements, and how many elements there are."""

    first: Mapping[str, int]
    elements: int


def strip_of(layout: Layout) -> Strip:
    """Lay the elements of a struct out one after the other, in the order in which they lie in it."""
    first: dict[str, int] = {}
    count = 0
    for field in layout.fields:
        first[field.name] = count
        count += field.size // DTYPES[field.dtype].itemsize
    return Strip(first, count)


@dataclass(frozen=True, slots=True)
class Run:
    """Elements narrower than a word, one after the other: from which byte of a struct, and in its strip."""

    dtype: str
    offset: int
    first: int
    count: int


def narrow_runs(layout: Layout) -> tuple[Run, ...]:
    """Return the fields of a struct that are narrower than a word, neighbours of one type as one run.

    Truths are moved as the bytes they are.
    """
    found: list[Run] = []
    first = strip_of(layout).first
    for field in layout.fields:
        width = DTYPES[field.dtype].itemsize
        run = Run(
            "u8" if field.dtype == "b1" else field.dtype, field.offset, first[field.name], field.size // width
        )
        if width == WORD:
            continue
        last = found[-1] if found else run
        if found and (last.dtype, last.offset + last.count * width) == (run.dtype, run.offset):
            found[-1] = Run(last.dtype, last.offset, last.first, last.count + run.count)
        else:
            found.append(run)
    return tuple(found)


def shared_names(body: tuple[Stmt, ...]) -> frozenset[str]:
    """Return the names that have the same value in every lane.

    Floats are never among them: a vector of equal ones costs no more than one, and need not be made
    where it meets others.
    """
    values = [s for s in statements(body) if isinstance(s, Let | Var | Set)]
    turns = frozenset(s.variable for s in statements(body) if isinstance(s, For))
    names = frozenset(s.name for s in values) | turns
    while True:
        alike = names - {s.name for s in values if not is_shared(s.value, names)}
        if alike == names:
            return names
        names = alike


def is_shared(expr: Expr, names: frozenset[str]) -> bool:
    """Say whether an expression has the same value in every lane, and is no float."""
    match expr:
        case Lit():
            return expr.dtype != "f32"
        case Ref():
            return expr.name in names
        case At():
            return all(name in names for name, _ in expr.index.terms)
        case Read():
            same = expr.buf.space in ONE_FOR_ALL and all(name in names for name, _ in expr.index.terms)
            return same and expr.dtype != "f32"
        case Op():
            return expr.dtype != "f32" and all(is_shared(arg, names) for arg in expr.args)


def side_by_side(
    states: NDArray[np.uint8], layouts: Layouts, clocks: tuple[Clock, ...]
) -> NDArray[np.intp] | None:
    """Return an order of devices in which those whose clocks fire together are neighbours.

    `states` is (D, state bytes). None where it does not matter: all are in step, or nothing is slow.
    """
    waits: list[NDArray[Any]] = []
    for clock in clocks:
        if clock != EVERY:
            at = layouts.state.field(wait_of(clock)).offset
            waits.append(np.ascontiguousarray(states[:, at : at + 4]).view("<i4")[:, 0])
    if all((wait == wait[0]).all() for wait in waits):
        return None
    return np.lexsort(waits)


def in_company(
    run: Callable[[NDArray[np.uint8], NDArray[Any]], Answers],
    states: NDArray[np.uint8],
    rows: NDArray[Any],
    layouts: Layouts,
    clocks: tuple[Clock, ...],
) -> Answers:
    """Run devices in the order of `side_by_side`, and return the answers in the order they came in."""
    order = side_by_side(states, layouts, clocks)
    if order is None:
        return run(states, rows)
    after, outputs, fired = run(states[order], rows[order])
    back = np.argsort(order)
    whole = outputs.view(whole_of(layouts.output))[back]
    return after[back], whole.view(outputs.dtype), fired[back]


def whole_of(layout: Layout) -> np.dtype[Any]:
    """Return a struct as one piece: copied at once, with the bytes between its fields."""
    return np.dtype((np.void, layout.size))
