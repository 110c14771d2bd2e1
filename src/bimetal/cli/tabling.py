"""Tabling: the work of `bimetal boards`, imported when it is called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bimetal.cli.fitting import Forms, fits_of
from bimetal.cli.opening import open_model
from bimetal.learn.card import card_of
from bimetal.nouns.device import FLEET
from bimetal.shrink.board import BOARDS, Board
from bimetal.shrink.budget import ESTIMATED, Fit, Row
from bimetal.shrink.certificate import judgement, share
from bimetal.targets.vectors import decode


def board_records() -> list[dict[str, Any]]:
    """Return the table of boards as plain texts and numbers."""
    return [_record(board) for board in BOARDS.values()]


def board_lines() -> Iterator[str]:
    """Yield the table of boards in words."""
    yield f"{'board':<16}{'part':<18}{'processor':<12}{'flash':>10}{'RAM':>10}{'clock':>10}"
    for b in BOARDS.values():
        sizes = f"{_kib(b.flash_bytes):>10}{_kib(b.ram_bytes):>10}{f'{b.clock_hz // 1_000_000} MHz':>10}"
        yield f"{b.name:<16}{b.part:<18}{b.processor:<12}{sizes}"


def fit_records(model: Path) -> list[dict[str, Any]]:
    """Return for every board what a model takes there, as plain texts and numbers."""
    return [_record(fit.board) | judgement(fit) for fit in _fits(model) if fit.board]


def fit_lines(model: Path) -> Iterator[str]:
    """Yield for every board whether a model fits, and which part of what there is it takes."""
    yield f"{'board':<16}{'flash':>21}{'RAM':>19}{'instructions':>23}  verdict"
    yield from map(fit_line, _fits(model))
    yield "bytes; instructions of one reading; ~ is an estimate; interrupts and drivers are not counted"


def fit_line(fit: Fit) -> str:
    """Return a board's line: what is taken, which part of what there is at worst, and the verdict."""
    widths = {"flash": 21, "ram": 19, "instructions": 23}
    cells = "".join(f"{_cell(fit.row(name)):>{width}}" for name, width in widths.items())
    return f"{fit.name:<16}{cells}  {_verdict(fit)}"


def _fits(model: Path) -> list[Fit]:
    bundle = open_model(model).bundle
    forms = Forms(bundle.program, bundle.blocks[FLEET], decode(bundle.program, bundle.vectors))
    return fits_of(forms, card_of(bundle.card).period_s)


def _record(board: Board) -> dict[str, Any]:
    return {
        "board": board.name,
        "part": board.part,
        "chip": board.processor,
        "processor": board.machine.name,
        "flash_bytes": board.flash_bytes,
        "ram_bytes": board.ram_bytes,
        "clock_hz": board.clock_hz,
    }


def _cell(row: Row | None) -> str:
    if row is None:
        return "not counted"
    return f"{'~' if row.how == ESTIMATED else ''}{row.used:,}{share(row.most, row.limit)}"


def _verdict(fit: Fit) -> str:
    lacking = [f"{row.most - (row.limit or 0):,} too many of {row.name}" for row in fit.rows if not row.fits]
    return f"no: {', '.join(lacking)}" if lacking else "fits"


def _kib(size: int) -> str:
    return f"{size // 1024:,} KiB"
