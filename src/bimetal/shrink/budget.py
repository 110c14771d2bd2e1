"""Budget: whether a program fits a processor or a board, in bytes and in time, before anything is flashed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program.node import EVERY, Clock
from bimetal.program.program import Program
from bimetal.program.verify import Report, check
from bimetal.shrink.board import BOARDS, Board
from bimetal.shrink.estimate import Estimate, code_bytes, instructions, stack_bytes
from bimetal.shrink.machine import Machine
from bimetal.shrink.measure import Measured
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.loops import Lowered
from bimetal.targets.lower import lower

CYCLES = 2
"""Cycles an instruction takes at most on average, waiting for flash included: a rule of thumb."""

MEASURED, ESTIMATED = "measured", "estimated"


@dataclass(frozen=True, slots=True)
class Need:
    """What a program takes, as far as it does not depend on the processor."""

    program: Program
    report: Report
    lowered: Lowered


@dataclass(frozen=True, slots=True)
class Limits:
    """What there is room for: bytes, and instructions for one reading; None where nothing is said."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None
    instructions: int | None = None

    def within(self, other: Limits) -> Limits:
        """Return the smaller of each."""

        def smaller(a: int | None, b: int | None) -> int | None:
            return min(a, b) if a is not None and b is not None else a if b is None else b

        return Limits(
            smaller(self.flash_bytes, other.flash_bytes),
            smaller(self.ram_bytes, other.ram_bytes),
            smaller(self.instructions, other.instructions),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One resource: used of limit (None: no limit is known), in a unit.

    `how` says where `used` comes from: measured or estimated; `error` is how much more it may be.
    """

    name: str
    used: int
    limit: int | None
    unit: str
    how: str
    error: int = 0

    @property
    def most(self) -> int:
        """What is used when the estimate is too low by its error."""
        return self.used + self.error

    @property
    def fits(self) -> bool:
        """Whether that much is there."""
        return self.limit is None or self.most <= self.limit


@dataclass(frozen=True, slots=True)
class Firing:
    """The most instructions that one firing of a clock takes, and how far that may be off."""

    clock: Clock
    instructions: int
    error: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A program on a processor, resource by resource.

    `memory` is what the RAM is taken by, in bytes; `firings` the work of every clock, none where nobody
    counted instructions; `compiler` what measured ("" for nobody); `notes` what is left out.
    """

    machine: Machine
    board: Board | None
    rows: tuple[Row, ...]
    memory: Mapping[str, int]
    firings: tuple[Firing, ...]
    compiler: str
    notes: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether every resource suffices."""
        return all(row.fits for row in self.rows)

    @property
    def name(self) -> str:
        """The board, or the processor."""
        return self.board.name if self.board else self.machine.name

    def row(self, name: str) -> Row | None:
        """Return a resource by its name."""
        return next((row for row in self.rows if row.name == name), None)


def need_of(program: Program) -> Need:
    """Return what a program takes as C; raises BadProgram when it breaks a rule."""
    report = check(program)
    return Need(program, report, lower(program, report.ranges, in_one_piece))


def limits_of(board: Board, period_s: float = 0.0) -> Limits:
    """Return what a board that has nothing else to do has room for.

    Work must end within `period_s`, the seconds between readings, 0 when they are not known. Raises
    BadInput for a period that cannot be.
    """
    if not 0 <= period_s < math.inf:
        raise BadInput(f"a period of {period_s} seconds cannot be")
    work = round(min(board.clock_hz * period_s / CYCLES, 2**62)) if period_s else None
    return Limits(board.flash_bytes, board.ram_bytes, work)


def fit(need: Need, machine: Machine, limits: Limits, *, measured: Measured | None = None) -> Fit:
    """Hold a program against a processor that has nothing else to do.

    Rows: `flash` (code, library, constants and parameters), `ram` (state, one reading, its result and the
    stack), `stack` (scratch memory in it) and `instructions` (a reading at which every clock fires, at
    worst). Raises Unsupported when there is a limit on instructions and nobody counted them there.
    """
    flash = _flash(need, machine, limits.flash_bytes, measured)
    stack = _stack(need, machine, measured)
    memory = _memory(need, stack, measured)
    ram = Row("ram", sum(memory.values()), limits.ram_bytes, "bytes", stack.how, stack.error)
    firings = _firings(need.lowered, machine)
    notes = [machine.note] if machine.note else []
    notes.append("interrupts, and what else runs on it such as drivers and radio, are not counted")
    rows = [flash, ram, stack]
    if firings:
        rows.append(_work(firings, limits.instructions))
    elif limits.instructions is not None:
        raise Unsupported(
            f"nobody counted instructions on {machine.said}",
            hint="Leave --instructions out",
        )
    else:
        notes.append("nobody counted its instructions, so that time is not judged")
    compiler = measured.compiler if measured else ""
    return Fit(machine, None, tuple(rows), memory, firings, compiler, tuple(notes))


def fit_board(
    need: Need,
    board: Board,
    *,
    period_s: float = 0.0,
    measured: Measured | None = None,
    within: Limits | None = None,
) -> Fit:
    """Hold a program against a board of the table, or a part `within` of it, as `fit` does."""
    limits = limits_of(board, period_s)
    if not _firings(need.lowered, board.machine):
        limits = replace(limits, instructions=None)
    limits = limits.within(within or Limits())
    return replace(fit(need, board.machine, limits, measured=measured), board=board)


def fits_on(
    need: Need, *, period_s: float = 0.0, measured: Mapping[str, Measured] | None = None
) -> tuple[Fit, ...]:
    """Hold a program against every board; `measured` is by the name of the processor."""
    known = measured or {}
    return tuple(
        fit_board(need, b, period_s=period_s, measured=known.get(b.machine.name)) for b in BOARDS.values()
    )


def _flash(need: Need, machine: Machine, limit: int | None, measured: Measured | None) -> Row:
    if measured:
        return Row("flash", measured.flash_bytes, limit, "bytes", MEASURED)
    code = code_bytes(need.lowered, machine.figures)
    return Row("flash", code.value + need.report.parameter_bytes, limit, "bytes", ESTIMATED, code.error)


def _stack(need: Need, machine: Machine, measured: Measured | None) -> Row:
    if measured:
        return Row("stack", measured.stack_bytes, None, "bytes", MEASURED)
    stack = stack_bytes(need.lowered, machine.figures)
    return Row("stack", stack.value, None, "bytes", ESTIMATED, stack.error)


def _memory(need: Need, stack: Row, measured: Measured | None) -> dict[str, int]:
    report = need.report
    found = {
        "state": report.state_bytes,
        "reading": report.input_bytes,
        "result": report.output_bytes,
        "stack": stack.used,
        "constants": measured.data_bytes if measured else 0,
    }
    return {name: size for name, size in found.items() if size}


def _firings(lowered: Lowered, machine: Machine) -> tuple[Firing, ...]:
    found: list[Firing] = []
    for stage in sorted(lowered.stages, key=lambda s: (s.clock != EVERY, s.clock)):
        estimate = instructions(stage, machine.figures)
        if estimate is None:
            return ()
        found.append(Firing(stage.clock, estimate.value, estimate.error))
    return tuple(found)


def _work(firings: tuple[Firing, ...], limit: int | None) -> Row:
    whole = Estimate(sum(f.instructions for f in firings), sum(f.error for f in firings))
    return Row("instructions", whole.value, limit, "a reading", ESTIMATED, whole.error)
