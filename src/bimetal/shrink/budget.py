"""Budget: whether a program fits a board, in bytes and in time, before anything is compiled."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.nouns.errors import BadInput
from bimetal.program.layout import Layout
from bimetal.program.program import Program
from bimetal.program.verify import Report, check
from bimetal.shrink.board import BOARDS, Board
from bimetal.shrink.code_size import code_size
from bimetal.targets.loops import Lowered
from bimetal.targets.lower import lower

STACK_BYTES = 512
"""What is set aside for calls and registers beside a program's own scratch memory."""

_CYCLES = 2
"""Cycles an instruction takes at most on average, waiting for flash included: a rule of thumb."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a program takes, as far as it does not depend on the board."""

    report: Report
    lowered: Lowered


@dataclass(frozen=True, slots=True)
class Row:
    """One resource: used of limit, in a unit; `error` is how far `used` may be off, 0 when it is exact."""

    name: str
    used: int
    limit: int
    unit: str
    error: int = 0

    @property
    def fits(self) -> bool:
        """Whether it fits even when the estimate is too low by its error."""
        return self.used + self.error <= self.limit


@dataclass(frozen=True, slots=True)
class Fit:
    """A program on a board, resource by resource.

    `notes` say what the rows leave out, `obstacle` what stands in the way beside them (empty: nothing).
    """

    board: Board
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    obstacle: str = ""

    @property
    def fits(self) -> bool:
        """Whether every resource suffices, and nothing else stands in the way."""
        return not self.obstacle and all(row.fits for row in self.rows)


def need_of(program: Program) -> Need:
    """Return what a program takes; raises BadProgram when it breaks a rule."""
    report = check(program)
    return Need(report, lower(program, report.ranges))


def fit(need: Need, board: Board, *, period_s: float = 0.0) -> Fit:
    """Hold a program against a board that has nothing else to do.

    Rows: `flash` (code, library, constants and parameters), `ram` (state, scratch memory, one reading,
    its result, and STACK_BYTES), and `work` (instructions a reading, within `period_s`, at worst) when
    the period is known and the board was measured.
    """
    if not 0 <= period_s < float("inf"):
        raise BadInput(f"a period of {period_s} seconds cannot be")
    report, lowered = need.report, need.lowered
    code = code_size(lowered, board.machine)
    flash = Row("flash", code.bytes + report.parameter_bytes, board.flash_bytes, "bytes", code.error)
    used = report.state_bytes + lowered.scratch_bytes + report.input_bytes + report.output_bytes + STACK_BYTES
    if board.constants_in_ram:
        used += report.parameter_bytes + sum(t.values.nbytes for t in lowered.tables)
    rows = [flash, Row("ram", used, board.ram_bytes, "bytes")]
    notes = ["what else runs on the board, such as drivers and radio, is not counted"]
    if board.instructions and period_s:
        limit = round(min(board.clock_hz * period_s / _CYCLES, 2**62))
        rows.append(Row("work", round(report.operations * board.instructions), limit, "instructions"))
    else:
        notes.append("its time was not measured" if period_s else "no period is known, so time is not judged")
    obstacle = ""
    if board.machine == "avr5" and _has_padding(lowered):
        obstacle = "its C does not compile there: an AVR aligns nothing, and a struct of it needs padding"
    return Fit(board, tuple(rows), tuple(notes), obstacle)


def fits_on(need: Need, *, period_s: float = 0.0) -> tuple[Fit, ...]:
    """Hold a program against every board of the table."""
    return tuple(fit(need, board, period_s=period_s) for board in BOARDS.values())


def _has_padding(lowered: Lowered) -> bool:
    structs: tuple[Layout, ...] = (
        lowered.layouts.state,
        lowered.layouts.params,
        lowered.layouts.input,
        lowered.layouts.output,
    )
    return any(sum(f.size for f in struct.fields) != struct.size for struct in structs)
