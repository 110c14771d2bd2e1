"""Programs and tools that the tests of this room share."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from bimetal.cli.toolbox import LocalTools
from bimetal.learn.detector import Design, detector_program
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.targets.loops import Expr, Lowered, Stmt, parts, statements, value_of
from bimetal.targets.lower import lower
from bimetal.targets.vectors import Vectors, make_vectors
from tests.agree.odd_program import ODD
from tests.agree.random_program import LARGE, random_program

TOOLS = LocalTools()


def small(gain: float = 2.0) -> tuple[Program, bytes]:
    """A program with every kind of part, and its parameters."""
    draft = small_draft(gain)
    return draft.finish(), pack(draft.finish(), draft.values)


def small_draft(gain: float = 2.0) -> Draft:
    """A program with a parameter, a ring, two clocks, whole numbers of several widths, a truth value."""
    draft = Draft("small, for tests")
    x, n = draft.input("x", unit="Cel"), draft.input("n", "i16", (3,))
    learned = draft.param("gain", gain, low=-8, high=8)
    limits = draft.param("limits", [1, 2, 3], "u8", low=0, high=9)
    scaled = letter.mul(word.otherwise(x, 0.0), learned)
    draft.output("scaled", scaled)
    draft.output("mean", word.mean(word.window(draft, scaled, 4, 3)))
    counted = letter.add(letter.cast(n, "i32"), letter.cast(limits, "i32"))
    draft.output("most", letter.reduce(counted, "max"))
    draft.output("high", letter.lt(learned, scaled))
    return draft


@functools.cache
def small_vectors(runs: int = 6) -> Vectors:
    """Golden vectors of the small program."""
    return make_vectors(*small(), seed=1, runs=runs)


def detector(signals: int = 2) -> tuple[Program, bytes]:
    """The default detector, nothing learned yet."""
    program, draft = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
    return program, pack(program, draft.values)


def many_programs(count: int = 12) -> Iterator[Program]:
    """Odd programs, random ones, large ones, and the detector."""
    yield from (make().finish() for make in ODD)
    yield from (random_program(seed)[0] for seed in range(count))
    yield from (random_program(seed, shapes=LARGE)[0] for seed in range(count))
    yield detector(3)[0]


def lowered(program: Program) -> Lowered:
    """A program as loops."""
    return lower(program, check(program).ranges)


def body_of(program: Program) -> list[Stmt]:
    """All statements of a program of one clock, loops before what is in them."""
    (stage,) = lowered(program).stages
    return list(statements(stage.body))


def parts_of(statement: Stmt) -> list[Expr]:
    """All expressions of a statement."""
    value = value_of(statement)
    return list(parts(value)) if value is not None else []


def one_output(make: object, *shapes: tuple[int, ...], dtype: str = "f32") -> Program:
    """A program whose output is made of inputs a, b, ... of these shapes."""
    draft = Draft("one output")
    names = "abcdef"
    inputs = [draft.input(names[k], dtype, shape) for k, shape in enumerate(shapes)]
    draft.output("y", make(*inputs))  # type: ignore[operator]
    return draft.finish()


RNG_SEED = 7


def bits(values: object) -> list[int]:
    """The bits of f32 values."""
    return [int(b) for b in np.asarray(values, np.float32).reshape(-1).view(np.uint32)]
