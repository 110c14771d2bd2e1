"""Planting: the same forests in other forms, and which of them suits what there is of flash and of time.

The program is written anew around each form, and what comes out is tried: its trees, read back, are the
same, and the letters say the same about the model's golden vectors. Parameters stay apart from code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram, Broken
from bimetal.program.block import pack, unpack
from bimetal.program.grove import LINKS, SHORT, fall, form_of, worth_of
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Node, walk
from bimetal.program.program import Draft, Param, Program, SetTo
from bimetal.program.scope import scope_of
from bimetal.program.tree import Tree, counted, depth_of
from bimetal.program.verify import check
from bimetal.shrink.budget import Fit
from bimetal.targets.kernels.forest import Place, places_of
from bimetal.targets.kernels.regrow import trees_of
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.vectors import Vectors

MOST_LEVELS = 8
MOST_TIMES = 4
"""A form that takes so many times the bytes is not looked at."""

Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A model whose forests lie in a form, "" for the ones it came in."""

    form: str
    program: Program
    block: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A forest of a program with its trees, and what their leaves are worth, if they are no classes."""

    place: Place
    trees: tuple[Tree, ...]
    rows: NDArray[Any] | None
    start: Sequence[int]


def plantings(program: Program, block: bytes) -> Iterator[Planted]:
    """Yield a model with its forests in every form they have room in, as it came first.

    Nothing but the model itself where it has no forests, or one inside a loop.
    """
    yield Planted("", program, block)
    values = unpack(program, block)
    read = forests_of(program, values)
    if not read:
        return
    deepest = max(depth_of(t) for r in read for t in r.trees)
    here = layout_of(program).params.size
    for form in (LINKS, SHORT, *(f"crown-{k}" for k in range(1, min(deepest, MOST_LEVELS) + 1))):
        levels = form_of(form).levels
        if sum(len(r.trees) << levels for r in read) * 2 > MOST_TIMES * here:
            continue
        try:
            made = replanted(program, values, read, form)
            check(made.program)
        except BadProgram:
            continue
        if layout_of(made.program).params.size <= MOST_TIMES * here:
            yield made


def forests_of(program: Program, values: Values) -> list[Read]:
    """Return the forests of a program with their trees; none where not all of them can be moved."""
    outside = set(scope_of(program.roots()).nodes)
    found: list[Read] = []
    for place in places_of(program):
        trees = trees_of(place.kernel, values)
        if trees is None or place.sums not in outside:
            return []
        found.append(_read(place, trees, values))
    return found


def _read(place: Place, trees: tuple[Tree, ...], values: Values) -> Read:
    kernel = place.kernel
    if not kernel.rows:
        return Read(place, trees, None, ())
    rows = np.asarray(values[f"{kernel.name}_values"], np.int64)
    if not kernel.in_places:
        start = np.asarray(values[f"{kernel.name}_start"]).reshape(-1)
        return Read(place, trees, rows, start.tolist())
    return _numbered(place, trees, rows.reshape(len(trees), -1, kernel.width))


def _numbered(place: Place, trees: tuple[Tree, ...], rows: NDArray[Any]) -> Read:
    """Number leaves that are places anew, equal ones alike, so that other forms have room for them."""
    found: list[Tree] = []
    start: list[int] = []
    kept: list[NDArray[Any]] = []
    for tree, own in zip(trees, rows, strict=True):
        distinct, number = np.unique(own, axis=0, return_inverse=True)
        start.append(sum(map(len, kept)))
        kept.append(distinct)
        found.append(_worded(tree, number.reshape(-1).tolist(), 0))
    return Read(place, tuple(found), np.concatenate(kept), start)


def replanted(program: Program, values: Values, read: Sequence[Read], form: str) -> Planted:
    """Return a model with its forests in another form; raises BadProgram where one has no room in it."""
    sums = {r.place.sums: r for r in read}
    draft = Draft()
    new: dict[Node, Node] = {}
    declared = {p.name: p for p in program.params}
    for node in walk(program.roots()):
        if node in sums:
            new[node] = _spelled(draft, sums[node], new[sums[node].place.x], form, declared)
            continue
        args = tuple(new[a] for a in node.args)
        same = all(a is b for a, b in zip(args, node.args, strict=True))
        new[node] = node if same else replace(node, args=args)
    params = declared | {p.name: p for p in draft.finish().params}
    made = replace(
        program,
        sets=tuple(SetTo(s.state, new[s.value], None if s.at is None else new[s.at]) for s in program.sets),
        outputs=tuple((name, new[n]) for name, n in program.outputs),
        params=tuple(params.values()),
    )
    wanted = {n.name for n in made.nodes() if n.op == "param"}
    made = replace(made, params=tuple(p for p in made.params if p.name in wanted))
    known = {**values, **draft.values}
    return Planted(form, made, pack(made, {p.name: known[p.name] for p in made.params}))


def _spelled(draft: Draft, read: Read, x: Node, form: str, declared: Mapping[str, Param]) -> Node:
    kernel, of = read.place.kernel, form_of(form)
    if read.rows is None:
        few = kernel.outputs if of.levels else 0
        return counted(fall(draft, read.trees, x, kernel.name, of, few), kernel.outputs)
    least = 0 if declared[f"{kernel.name}_values"].low >= 0 else -(2**31)
    worth = read.rows, read.start
    return worth_of(draft, read.trees, x, kernel.name, of, worth, kernel.outputs, least)


def proven(as_it_came: Planted, moved: Planted, vectors: Vectors) -> Planted:
    """Return a model that was moved to another form, once it says the same; raises Broken where it does not.

    Its trees are read back and compared, and the law runs the golden vectors.
    """
    if moved.form:
        known: dict[tuple[int, ...], int] = {}
        both = (forests_of(m.program, unpack(m.program, m.block)) for m in (as_it_came, moved))
        one, other = (_said(read, known) for read in both)
        if one != other:
            raise Broken("trees are not the same in another form", where=moved.form)
    law = NumpyTarget().load(moved.program, moved.block)
    for run in vectors.runs:
        state, outputs, fired = law.run(initial_state(moved.program), run.rows)
        same = (state, outputs.tobytes(), fired.tobytes())
        if same != (run.state, run.outputs.tobytes(), run.fired.tobytes()):
            raise Broken(f"the golden vector {run.name!r} differs in another form", where=moved.form)
    return moved


def _said(read: Sequence[Read], known: dict[tuple[int, ...], int]) -> list[Tree]:
    """Return all trees, leaves as the numbers that `known` gives to what they are worth."""
    found: list[Tree] = []
    for r in read:
        if r.rows is None:
            found += r.trees
            continue
        rows = [known.setdefault(tuple(map(int, row)), len(known)) for row in r.rows]
        for tree, start in zip(r.trees, r.start, strict=True):
            found.append(_worded(tree, rows, start))
    return found


def _worded(tree: Tree, rows: Sequence[int], start: int) -> Tree:
    if isinstance(tree, int):
        return rows[min(start + tree, len(rows) - 1)]
    low, high = _worded(tree[2], rows, start), _worded(tree[3], rows, start)
    return low if isinstance(low, int) and low == high else (tree[0], tree[1], low, high)


def in_order(found: Sequence[tuple[Planted, Fit]], thrifty: bool) -> list[tuple[Planted, Fit]]:
    """Return models with their fits, the best first: those that fit, the fastest, or `thrifty` the smallest.

    Where nobody counted instructions, the order of flash is all there is.
    """

    def key(pair: tuple[Planted, Fit]) -> tuple[bool, int, int]:
        flash, work = (row.most if (row := pair[1].row(name)) else 0 for name in ("flash", "instructions"))
        return (not pair[1].fits, *((flash, work) if thrifty else (work, flash)))

    return sorted(found, key=key)
