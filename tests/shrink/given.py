"""Programs of several sizes for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from bimetal.learn.detector import Design, detector_program
from bimetal.program import word
from bimetal.program.block import pack
from bimetal.program.letter import add, const, mul
from bimetal.program.operator import operators, wire
from bimetal.program.program import Draft, Program


@cache
def detector(signals: int) -> Program:
    """The default detector for so many signals."""
    return detector_program(Design(signals), [f"x{k}" for k in range(signals)])[0]


def tiny(states: int = 1) -> Program:
    """A sum that is remembered, times a learned number; `states` of them."""
    draft = Draft("tiny")
    x = draft.input("x")
    gain = draft.param("gain", 1.0, low=-10, high=10)
    for k in range(states):
        held = draft.state(f"held_{k}", 0.0)
        draft.set(held, add(mul(held, const(0.5, "f32")), x))
        draft.output(f"y_{k}", mul(held, gain))
    return draft.finish()


@cache
def windowed(size: int) -> Program:
    """The sum of every `size` readings."""
    draft = Draft("windowed")
    draft.output("sum", word.total(word.window(draft, draft.input("x"), size, size)))
    return draft.finish()


def block_of(program: Program) -> bytes:
    """Parameters that say nothing: the middle of nowhere, within their ranges."""
    return pack(program, {p.name: np.full(p.shape, min(max(1.0, p.low), p.high)) for p in program.params})


OPERATORS = (
    "biquad", "rfft", "isolation_forest", "softmax", "conv1d_int8", "gru_cell", "p2_quantile", "mahalanobis",
)  # fmt: skip


def dozen() -> Iterator[tuple[str, Program, bytes]]:
    """A dozen programs with their parameters: detectors, a window, and operators of every sort."""
    for signals in (1, 2, 5):
        yield f"detector {signals}", detector(signals), block_of(detector(signals))
    yield "windowed 64", windowed(64), block_of(windowed(64))
    for name in OPERATORS:
        example = operators()[name].examples()[0]
        program, values = wire(example.operator, example.signals)
        yield name, program, pack(program, values)
