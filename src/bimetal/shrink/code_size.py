"""Code size: how many bytes of machine code a program becomes, estimated without a compiler.

The statements of the lowered program are counted by kind; each kind has an average size on each
machine, and each routine of the compiler's library that gets linked in has its own. The figures
were fitted by non-negative least squares on the relative error, over programs compiled with
`-Os` and linked (bench/code_size.py does it again and prints the errors). `error` is the share of
the true size plus SMALL bytes within which nine in ten programs lay that the fit had not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bimetal.nouns.errors import Unsupported
from bimetal.targets.loops import At, Expr, For, Lit, Lowered, Op, Read, Store, parts, statements, value_of

SMALL = 256


@dataclass(frozen=True, slots=True)
class CodeSize:
    """An estimate of machine code in bytes, constants of the program included; nine in ten programs are
    no more than `error` bytes off it."""

    bytes: int
    error: int


def count_kinds(lowered: Lowered) -> Counter[str]:
    """Count what a lowered program is made of, by kind: how often what costs bytes is spelled."""
    found = Counter({"stage": len(lowered.stages), "program": 1})
    found["state field"] = len(lowered.layouts.state.fields)
    for stage in lowered.stages:
        for statement in statements(stage.body):
            if isinstance(statement, For):
                found["loop"] += 1
            elif isinstance(statement, Store):
                found["store"] += 1
                found["index"] += len(statement.index.terms)
            value = value_of(statement)
            for part in parts(value) if value is not None else ():
                found.update(_kinds(part))
    return found


def routines(lowered: Lowered) -> frozenset[str]:
    """Return which kinds of arithmetic occur at all, each of which may pull a library routine in."""
    return frozenset(kind for kind, often in count_kinds(lowered).items() if often and kind in _ROUTINES)


def code_size(lowered: Lowered, machine: str) -> CodeSize:
    """Estimate the code of a program on a kind of machine (a key of MACHINES).

    Raises Unsupported for a machine nothing was measured on.
    """
    if machine not in MACHINES:
        known = ", ".join(MACHINES)
        raise Unsupported(f"the size of code on {machine!a} was never measured", hint=f"Measured: {known}")
    rates = MACHINES[machine]
    kinds = count_kinds(lowered)
    written = sum(rates.each.get(kind, 0.0) * often for kind, often in kinds.items())
    linked = sum(rates.once.get(kind, 0.0) for kind in routines(lowered))
    tables = sum(t.values.nbytes for t in lowered.tables)
    size = round(written + linked) + tables
    return CodeSize(size, round(rates.error * (size + SMALL)))


_ROUTINES = frozenset(["f32 add", "f32 mul", "f32 div", "f32 sqrt", "f32 compare", "f32 cast", "i32 wide"])
_OF_OP = {
    "add": "add", "sub": "add", "mul": "mul", "div": "div", "sqrt": "sqrt", "lt": "compare", "le": "compare",
    "eq": "compare", "min": "choose", "max": "choose", "neg": "bit", "canon": "canon", "bits": "bit",
    "and": "bit", "or": "bit", "not": "bit", "band": "bit", "bor": "bit", "shl": "bit", "shr": "bit",
    "mulshr": "wide", "where": "choose", "cast": "cast",
}  # fmt: skip


def _kinds(part: Expr) -> Iterator[str]:
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


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes for each kind: `each` time it is spelled, and `once` for the routine it links in."""

    each: Mapping[str, float]
    once: Mapping[str, float]
    error: float


MACHINES: Mapping[str, Rates] = {
    "cortex-m0plus": Rates(
        each={
            "f32 add": 3.3,
            "f32 bit": 28.5,
            "f32 canon": 11.2,
            "f32 cast": 4.4,
            "f32 choose": 4.8,
            "f32 mul": 63.6,
            "f32 sqrt": 186.0,
            "i32 choose": 18.9,
            "i32 wide": 43.8,
            "load": 8.5,
            "program": 53.5,
            "state field": 61.4,
        },
        once={"f32 add": 862.1, "f32 compare": 502.7, "f32 div": 741.6, "f32 mul": 588.7},
        error=0.16,
    ),
    "cortex-m4f": Rates(
        each={
            "f32 add": 3.9,
            "f32 bit": 0.2,
            "f32 canon": 20.9,
            "f32 choose": 15.8,
            "i32 add": 0.2,
            "i32 bit": 8.1,
            "i32 choose": 4.0,
            "index": 9.3,
            "load": 5.7,
            "stage": 9.8,
            "state field": 13.2,
        },
        once={"f32 cast": 33.0, "f32 div": 52.6, "i32 wide": 13.7},
        error=0.21,
    ),
    "rv32imc": Rates(
        each={
            "f32 bit": 70.4,
            "f32 canon": 68.6,
            "f32 choose": 21.5,
            "f32 mul": 71.2,
            "f32 sqrt": 278.1,
            "i32 bit": 13.1,
            "i32 choose": 26.9,
            "i32 wide": 8.4,
            "load": 4.9,
            "state field": 9.8,
        },
        once={"f32 add": 1560.5, "f32 compare": 237.2, "f32 div": 1001.1, "f32 mul": 801.8},
        error=0.22,
    ),
    "avr5": Rates(
        each={
            "f32 add": 17.4,
            "f32 canon": 47.6,
            "f32 choose": 35.5,
            "f32 div": 126.3,
            "f32 mul": 3.5,
            "f32 sqrt": 171.4,
            "i32 bit": 12.5,
            "i32 choose": 19.7,
            "index": 22.5,
            "load": 27.5,
            "state field": 15.2,
            "store": 4.4,
        },
        once={
            "f32 add": 268.1,
            "f32 compare": 92.3,
            "f32 div": 160.1,
            "f32 mul": 259.9,
            "f32 sqrt": 660.2,
            "i32 wide": 311.5,
        },
        error=0.17,
    ),
}
"""By kind of machine, from bench/code_size.py with gcc 12.2 for ARM and RISC-V and 5.4 for AVR."""
