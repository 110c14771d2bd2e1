"""Estimate: bytes of code, bytes of stack and instructions of a program, told without a compiler.

What a lowered program is made of is counted by kind (kind.py); each kind has an average cost on each
machine (figures.py), fitted over programs compiled with `-Os` and run. The errors that come with an
estimate hold for programs that the fit had not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bimetal.nouns.errors import Unsupported
from bimetal.shrink.figures import CODE, STACK, WORK, Rates
from bimetal.shrink.grove import grove_bytes, grove_work
from bimetal.shrink.kind import done_kinds, held_kinds, routines, written_kinds
from bimetal.targets.loops import Lowered, Stage

SMALL_BYTES = 256
SMALL_WORK = 100
SMALL_STACK = 64
"""Errors are a share of the estimate and so much: nobody minds half of forty bytes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and how far it may be off."""

    value: int
    error: int


def code_bytes(lowered: Lowered, figures: str) -> Estimate:
    """Estimate the bytes of machine code, the compiler's library and constants; parameters are apart.

    Nineteen in twenty programs took no more than value + error. Raises Unsupported for figures there are
    none of.
    """
    rates = _rates(CODE, figures, "the size of code")
    linked = sum(rates.once.get(kind, 0.0) for kind in routines(lowered))
    tables = sum(t.values.nbytes for t in lowered.tables)
    size = round(rates.of(written_kinds(lowered)) + linked + grove_bytes(lowered, figures)) + tables
    return Estimate(size, round(rates.error * (size + SMALL_BYTES)))


def stack_bytes(lowered: Lowered, figures: str) -> Estimate:
    """Estimate the bytes of stack of a step, scratch memory and the compiler's library included.

    No program that was measured took more than value + error. Raises as code_bytes does.
    """
    rates = _rates(STACK, figures, "the stack")
    size = round(rates.of(held_kinds(lowered)))
    return Estimate(lowered.scratch_bytes + size, round(rates.error * (size + SMALL_STACK)))


def instructions(stage: Stage, figures: str) -> Estimate | None:
    """Estimate the most instructions that one firing of a stage takes; None where nobody counted them.

    Nineteen in twenty programs took no more than value + error.
    """
    rates = WORK.get(figures)
    if rates is None:
        return None
    value = round(rates.of(done_kinds(stage)) + grove_work(stage, figures))
    return Estimate(value, round(rates.error * (value + SMALL_WORK)))


def _rates(table: Mapping[str, Rates], figures: str, what: str) -> Rates:
    if figures not in table:
        raise Unsupported(f"{what} on {figures!a} was never measured", hint=f"Measured: {', '.join(table)}")
    return table[figures]
