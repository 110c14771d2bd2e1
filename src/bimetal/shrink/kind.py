"""Kind: what a lowered program is made of, counted: what costs bytes, time and stack on a machine.

Forests are counted in grove.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bimetal.targets.kernels.layer import APART, CONV, LayerKernel
from bimetal.targets.loops import (
    At,
    Call,
    Expr,
    For,
    If,
    Let,
    Lit,
    Lowered,
    Op,
    Read,
    Stage,
    Stmt,
    Store,
    Var,
    parts,
    value_of,
)

ROUTINES = frozenset(["f32 add", "f32 mul", "f32 div", "f32 sqrt", "f32 compare", "f32 cast", "i32 wide"])
"""The kinds of arithmetic that may pull a routine of the compiler's library in."""

_OF_OP = {
    "add": "add", "sub": "add", "mul": "mul", "div": "div", "sqrt": "sqrt", "lt": "compare", "le": "compare",
    "eq": "compare", "min": "choose", "max": "choose", "neg": "bit", "canon": "canon", "bits": "bit",
    "and": "bit", "or": "bit", "not": "bit", "band": "bit", "bor": "bit", "shl": "bit", "shr": "bit",
    "mulshr": "wide", "where": "choose", "cast": "cast",
}  # fmt: skip


def written_kinds(lowered: Lowered) -> Counter[str]:
    """Count by kind how often what costs bytes is written down."""
    found = Counter({"stage": len(lowered.stages), "program": 1})
    found["state field"] = len(lowered.layouts.state.fields)
    found["kind of layer"] = sum(1 + (kind == CONV) for kind in {layer.kind for layer in _layers(lowered)})
    for stage in lowered.stages:
        for statement, _ in _turns(stage.body):
            found.update(_kinds_of(statement))
    return found


def routines(lowered: Lowered) -> frozenset[str]:
    """Return which kinds of arithmetic occur at all that may need a routine of the compiler's library."""
    return frozenset(kind for kind, often in written_kinds(lowered).items() if often and kind in ROUTINES)


def done_kinds(stage: Stage) -> Counter[str]:
    """Count by kind how often what takes time is done in one firing, loops multiplied out."""
    found = Counter({"stage": 1})
    for statement, turns in _turns(stage.body):
        for kind, often in Counter(_kinds_of(statement)).items():
            found[kind] += often * turns
        if isinstance(statement, Call) and isinstance(statement.kernel, LayerKernel):
            layer = statement.kernel
            found["tap" if layer.kind == APART else "product"] += layer.products * turns
            found["layer end"] += layer.places * layer.outputs * turns
        if isinstance(statement, For):
            found["turn"] += turns * statement.count
    return found


def held_kinds(lowered: Lowered) -> Counter[str]:
    """Count what takes stack beside scratch memory: named values, loops, calls of the compiler's library."""
    named = max((_named(stage.body) for stage in lowered.stages), default=0)
    deepest = max((_depth(stage.body) for stage in lowered.stages), default=0)
    called = int(bool(routines(lowered)))
    layers = list(_layers(lowered))
    held = max((layer.columns for layer in layers if layer.kind != APART), default=0)
    found = {"program": 1, "name": named, "nested loop": deepest, "library": called}
    return Counter(found | {"layer": int(bool(layers)), "held byte": held})


def _layers(lowered: Lowered) -> Iterator[LayerKernel]:
    """Yield the kernel of every layer of a net."""
    for stage in lowered.stages:
        for statement, _ in _turns(stage.body):
            if isinstance(statement, Call) and isinstance(statement.kernel, LayerKernel):
                yield statement.kernel


def _turns(body: tuple[Stmt, ...], turns: int = 1) -> Iterator[tuple[Stmt, int]]:
    """Yield every statement with how often it is run."""
    for statement in body:
        yield statement, turns
        if isinstance(statement, For):
            yield from _turns(statement.body, turns * statement.count)
        elif isinstance(statement, If):
            yield from _turns(statement.body, turns)


def _named(body: tuple[Stmt, ...]) -> int:
    """Return the most values that have a name at the same place."""
    open_, most = 0, 0
    for statement in body:
        if isinstance(statement, For):
            most = max(most, open_ + 1 + _named(statement.body))
        elif isinstance(statement, If):
            most = max(most, open_ + _named(statement.body))
        elif isinstance(statement, Let | Var):
            open_ += 1
    return max(most, open_)


def _depth(body: tuple[Stmt, ...]) -> int:
    return max((isinstance(s, For) + _depth(s.body) for s in body if isinstance(s, For | If)), default=0)


def _kinds_of(statement: Stmt) -> Iterator[str]:
    if isinstance(statement, For):
        yield "loop"
    elif isinstance(statement, Call) and isinstance(statement.kernel, LayerKernel):
        yield "layer"
    elif isinstance(statement, Store):
        yield "store"
        yield from ("index" for _ in statement.index.terms)
    value = value_of(statement)
    for part in parts(value) if value is not None else ():
        yield from _kinds_of_part(part)


def _kinds_of_part(part: Expr) -> Iterator[str]:
    match part:
        case Op():
            # A comparison is b1, and costs what its sides are.
            of = part.args[0].dtype if part.op in ("lt", "le", "eq", "cast") else part.dtype
            kind = "f32" if "f32" in (of, part.dtype) else "i32"
            yield f"{kind} {_OF_OP[part.op]}"
            if part.op in ("min", "max") and kind == "f32":
                yield "f32 compare"
        case Read():
            yield "load"
            yield from ("index" for _ in part.index.terms)
        case At():
            yield "load"
        case Lit():
            yield f"{'f32' if part.dtype == 'f32' else 'i32'} number"
        case _:
            pass
