"""Lowered programs: every name is there before it is used, every index inside, every result written once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bimetal.program.node import DTYPES
from bimetal.program.program import Program
from bimetal.targets.loops import (
    At,
    Buf,
    For,
    Let,
    Lin,
    Lowered,
    Note,
    Op,
    Read,
    Ref,
    Set,
    Stage,
    Stmt,
    Store,
    Var,
    parts,
    statements,
    value_of,
)  # fmt: skip
from tests.targets.given import detector, lowered, many_programs, small

PROGRAMS = [pytest.param(p, id=f"{k}") for k, p in enumerate(many_programs())]
every_program = pytest.mark.parametrize("program", PROGRAMS)
OF_TYPE = {
    "f32": {"add", "sub", "mul", "neg", "min", "max", "div", "sqrt", "canon", "where", "cast", "bits"},
    "i32": {"add", "sub", "mul", "neg", "min", "max", "band", "bor", "shl", "shr", "mulshr", "where", "cast",
            "bits"},
    "b1": {"lt", "le", "eq", "and", "or", "not", "where"},
}  # fmt: skip
STORED = {"i8", "u8", "i16"}


def uses(statement: Stmt, *, changes: bool = True) -> set[str]:
    """The names a statement uses; what it changes is among them if asked for."""
    value = value_of(statement)
    found = list(parts(value)) if value is not None else []
    names = {p.name for p in found if isinstance(p, Ref)}
    indices = [p.index for p in found if isinstance(p, At | Read)]
    if isinstance(statement, Store):
        indices.append(statement.index)
    if isinstance(statement, Set) and changes:
        names.add(statement.name)
    return names | {name for index in indices for name, _ in index.terms}


def unknown(body: tuple[Stmt, ...], known: frozenset[str] = frozenset()) -> set[str]:
    """Names that are used where they are not known; they end with the block that gave them."""
    missing: set[str] = set()
    for statement in body:
        if isinstance(statement, For):
            missing |= unknown(statement.body, known | {statement.variable})
            continue
        missing |= uses(statement) - known
        if isinstance(statement, Let | Var):
            assert statement.name not in known, f"{statement.name} is named twice"
            known |= {statement.name}
    return missing


@every_program
def test_every_name_is_known_where_it_is_used(program: Program) -> None:
    for stage in lowered(program).stages:
        assert not unknown(stage.body)


@every_program
def test_no_name_is_left_that_nobody_uses(program: Program) -> None:
    for stage in lowered(program).stages:
        everything = list(statements(stage.body))
        used = {name for s in everything for name in uses(s, changes=False)}
        assert {s.name for s in everything if isinstance(s, Let | Var)} <= used


@every_program
def test_spellings_are_of_their_types(program: Program) -> None:
    for stage in lowered(program).stages:
        for statement in statements(stage.body):
            value = value_of(statement)
            for part in parts(value) if value is not None else ():
                if isinstance(part, Op):
                    assert part.op in OF_TYPE.get(part.dtype, {"cast", "where"})
                    if part.op not in ("cast", "bits", "where", "lt", "le", "eq"):
                        assert {a.dtype for a in part.args} == {part.dtype}
            if isinstance(statement, Store) and value is not None:
                assert value.dtype == statement.buf.dtype


@every_program
def test_indices_of_loops_stay_inside(program: Program) -> None:
    for stage in lowered(program).stages:
        for buf, index, spans in indices(stage.body, {}):
            known = Lin(index.const, tuple(t for t in index.terms if t[0] in spans))
            if known == index:
                low, high = index.span(spans)
                assert 0 <= low <= high < buf.size


def indices(
    body: tuple[Stmt, ...], spans: dict[str, tuple[int, int]]
) -> list[tuple[Buf, Lin, dict[str, tuple[int, int]]]]:
    """Every use of a buffer with the bounds of the loops around it."""
    found: list[tuple[Buf, Lin, dict[str, tuple[int, int]]]] = []
    for statement in body:
        if isinstance(statement, For):
            found += indices(statement.body, {**spans, statement.variable: (0, statement.count - 1)})
            continue
        value = value_of(statement)
        found += [
            (p.buf, p.index, spans)
            for p in (parts(value) if value is not None else ())
            if isinstance(p, Read)
        ]
        if isinstance(statement, Store):
            found.append((statement.buf, statement.index, spans))
    return found


def written(stage: Stage, space: str) -> Counter[tuple[str, int]]:
    """How often each element of a struct is written where the index is not computed."""
    found: Counter[tuple[str, int]] = Counter()

    def follow(body: tuple[Stmt, ...], turns: dict[str, int]) -> None:
        for statement in body:
            if isinstance(statement, For):
                for k in range(statement.count):
                    follow(statement.body, {**turns, statement.variable: k})
            elif (
                isinstance(statement, Store)
                and statement.buf.space == space
                and all(name in turns for name, _ in statement.index.terms)
            ):
                at = sum(f * turns[name] for name, f in statement.index.terms)
                found[statement.buf.name, statement.index.const + at] += 1

    follow(stage.body, {})
    return found


@every_program
def test_every_element_of_every_output_is_written_once(program: Program) -> None:
    low = lowered(program)
    for stage in low.stages:
        assert written(stage, "out") == {
            (name, k): 1 for name in stage.outputs for k in range(elements(low, name))
        }
    assert sorted(n for s in low.stages for n in s.outputs) == sorted(n for n, _ in program.outputs)


def elements(low: Lowered, name: str) -> int:
    """How many elements an output has."""
    field = low.layouts.output.field(name)
    return field.size // DTYPES[field.dtype].itemsize


@every_program
def test_states_are_written_once_and_by_their_own_clock(program: Program) -> None:
    clock_of = {s.name: s.clock for s in program.states}
    set_whole = {s.state for s in program.sets if s.at is None}
    for stage in lowered(program).stages:
        found = written(stage, "state")
        assert set(found.values()) <= {1}
        assert all(clock_of[name] == stage.clock for name, _ in found)
        for state in program.states:
            if state.name in set_whole and state.clock == stage.clock:
                assert {k for n, k in found if n == state.name} == set(range(state.init.size))


@every_program
def test_nothing_but_results_states_and_scratch_is_written(program: Program) -> None:
    for stage in lowered(program).stages:
        spaces = {s.buf.space for s in statements(stage.body) if isinstance(s, Store)}
        assert spaces <= {"out", "state", "scratch"}


@every_program
def test_stages_are_those_of_the_clocks(program: Program) -> None:
    low = lowered(program)
    assert [s.clock for s in low.stages] == list(program.clocks)
    assert [s.bit for s in low.stages] == list(range(len(program.clocks)))
    assert low.scratch_bytes == max(s.scratch_bytes for s in low.stages)


@pytest.mark.parametrize("make", [small, detector], ids=["small", "detector"])
def test_the_same_program_is_lowered_alike(make: object) -> None:
    texts = [str([plain(s) for s in lowered(make()[0]).stages]) for _ in range(2)]  # type: ignore[operator]
    assert texts[0] == texts[1]


def plain(stage: Stage) -> list[str]:
    """The statements of a stage as text."""
    return [repr(s) for s in statements(stage.body)]


PRINT = """import hashlib
from bimetal.targets.c99 import write_c99
from bimetal.targets.wasm import write_wasm
from tests.targets.given import lowered, many_programs
for program in many_programs(3):
    low = lowered(program)
    text = write_wasm(low).code + write_c99(program, low, "p").code.encode()
    print(hashlib.sha256(text).hexdigest())
"""


def test_code_is_the_same_in_every_process() -> None:
    """It hangs on no order of sets, nor on where things happen to lie in memory."""
    root = Path(__file__).parents[2]
    said = {
        subprocess.run(
            [sys.executable, "-c", f"waste = [object() for _ in range({seed} * 999)]\n{PRINT}"],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2)
    }
    assert len(said) == 1
    assert len(next(iter(said)).split()) > 15


def test_notes_say_what_is_computed() -> None:
    notes = [s.text for s in statements(lowered(small()[0]).stages[0].body) if isinstance(s, Note)]
    assert any("scaled" in text for text in notes)
