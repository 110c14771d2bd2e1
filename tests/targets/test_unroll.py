"""Unroll: the same memory afterwards, sums of several turns side by side, and no turn before its turn."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Draft
from bimetal.targets.loops import (
    Buf,
    Expr,
    For,
    Let,
    Lin,
    Lit,
    Note,
    Op,
    Read,
    Ref,
    Set,
    Stmt,
    Store,
    Var,
    variable,
)
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.unroll import INNER, TURNS, unrolled
from bimetal.targets.wasm_run import WasmTarget

TURN, PART = variable("i1"), variable("i2")
MATRIX, VECTOR = Buf("in", "matrix", "f32", 900), Buf("in", "vector", "f32", 30)
RESULT, SPARE = Buf("out", "result", "f32", 30), Buf("scratch", "spare", "f32", 4)
TOTAL = Ref("total_1", "f32")
Memory = dict[str, list[float]]


def added(*args: Expr) -> Op:
    return Op("add", args, "f32")


def sums(rows: int, columns: int) -> tuple[Stmt, ...]:
    """A matrix times a vector, row by row."""
    product = Op("mul", (Read(MATRIX, TURN.times(30) + PART), Ref("factor_1", "f32")), "f32")
    inner = For("i2", columns, (Let("factor_1", Read(VECTOR, PART)), Set("total_1", added(TOTAL, product))))
    return (For("i1", rows, (Var("total_1", Lit(-0.0, "f32")), inner, Store(RESULT, TURN, TOTAL))),)


def chained(columns: int) -> tuple[Stmt, ...]:
    """Each turn starts from what the one before it has stored."""
    inner = For("i2", columns, (Set("total_1", added(TOTAL, Read(VECTOR, PART))),))
    return (For("i1", 8, (Var("total_1", Read(RESULT, TURN)), inner, Store(RESULT, TURN + 1, TOTAL))),)


def one_place(columns: int) -> tuple[Stmt, ...]:
    """Every turn uses the same scratch memory anew."""
    fill = For("i2", 4, (Store(SPARE, PART, Read(MATRIX, TURN.times(4) + PART)),))
    inner = For("i2", 4, (Set("total_1", added(TOTAL, Read(SPARE, PART))),))
    return (For("i1", columns, (fill, Var("total_1", Lit(0.0, "f32")), inner, Store(RESULT, TURN, TOTAL))),)


def carried(columns: int) -> tuple[Stmt, ...]:
    """One sum goes on over all turns."""
    inner = For("i2", columns, (Set("total_1", added(TOTAL, Read(MATRIX, TURN + PART))),))
    return Var("total_1", Lit(0.0, "f32")), For("i1", 9, (inner,)), Store(RESULT, Lin(), TOTAL)


def run(body: tuple[Stmt, ...]) -> Memory:
    """Run statements by the book, in f32."""
    rng = np.random.default_rng(3)
    memory: Memory = {b.name: list(rng.normal(size=b.size).astype(np.float32)) for b in (MATRIX, VECTOR)}
    memory |= {b.name: [np.float32(0)] * b.size for b in (RESULT, SPARE)}
    _run(body, {}, memory)
    return memory


def _run(body: tuple[Stmt, ...], names: dict[str, float], memory: Memory) -> None:
    for statement in body:
        match statement:
            case For():
                for k in range(statement.count):
                    names[statement.variable] = k
                    _run(statement.body, names, memory)
            case Store():
                memory[statement.buf.name][_at(statement.index, names)] = _value(
                    statement.value, names, memory
                )
            case Note():
                pass
            case _:
                names[statement.name] = _value(statement.value, names, memory)


def _at(index: Lin, names: dict[str, float]) -> int:
    return index.const + sum(int(names[n]) * f for n, f in index.terms)


def _value(expr: Expr, names: dict[str, float], memory: Memory) -> float:
    match expr:
        case Lit():
            return np.float32(expr.value)
        case Ref():
            return names[expr.name]
        case Read():
            return memory[expr.buf.name][_at(expr.index, names)]
        case Op():
            a, b = (_value(arg, names, memory) for arg in expr.args)
            return a + b if expr.op == "add" else a * b
        case _:
            raise AssertionError(expr)


@pytest.mark.parametrize("rows", [1, 3, 4, 7, 8, 11, 30])
@pytest.mark.parametrize("columns", [1, 2, 5, 30])
def test_sums_are_the_same_numbers(rows: int, columns: int) -> None:
    body = sums(rows, columns)
    assert run(unrolled(body)) == run(body)


@pytest.mark.parametrize("make", [chained, one_place, carried])
@pytest.mark.parametrize("columns", [1, 4, 9, 13])
def test_turns_that_need_each_other_keep_their_order(make, columns: int) -> None:
    body = make(columns)
    assert run(unrolled(body)) == run(body)


def test_sums_run_side_by_side_and_load_what_they_share_once() -> None:
    (outer,) = unrolled(sums(8, 5))
    assert isinstance(outer, For)
    (inner,) = [s for s in outer.body if isinstance(s, For)]
    assert sum(isinstance(s, Set) for s in inner.body) == TURNS * INNER
    assert sum(isinstance(s, Let) for s in inner.body) == INNER


@pytest.mark.parametrize("make", [chained, one_place])
def test_turns_that_need_each_other_are_not_side_by_side(make) -> None:
    (outer,) = unrolled(make(9))
    assert isinstance(outer, For)
    assert len({s.name for s in outer.body if isinstance(s, Var)}) == 1


def test_no_name_is_given_twice_in_one_block() -> None:
    def names(body: tuple[Stmt, ...]) -> None:
        given = [s.name for s in body if isinstance(s, Let | Var)]
        assert len(given) == len(set(given))
        for inner in body:
            if isinstance(inner, For):
                names(inner.body)

    names(unrolled((*sums(11, 9), *carried(7), *sums(3, 2))))


def test_a_program_of_sums_keeps_the_laws_bits() -> None:
    draft = Draft("sums")
    x = draft.input("x", shape=(13,))
    rng = np.random.default_rng(0)
    matrix = draft.param("matrix", rng.normal(size=(11, 13)))
    held = draft.state("held", np.zeros(11))
    y = word.matvec(matrix, x)
    draft.set(held, word.clip(letter.add(held, y), -1e6, 1e6))
    draft.output("y", letter.concat([y, word.matvec(matrix, letter.mul(x, x))]))
    draft.output("most", letter.reduce(letter.mul(matrix, x), "max", axis=0))
    program = draft.finish()
    block = pack(program, draft.values)
    rows = np.zeros(40, layout_of(program).input.dtype)
    rows["x"] = rng.normal(size=(40, 13)) * 10.0 ** rng.integers(-30, 30, (40, 13))
    answers = [
        t.load(program, block).run(initial_state(program), rows) for t in (NumpyTarget(), WasmTarget())
    ]
    assert answers[0][0] == answers[1][0]
    assert answers[0][1].tobytes() == answers[1][1].tobytes()
