"""Alternative: what would fit where a model does not: fewer signals, shorter windows, int8, another board."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.detector import Design, detector_program
from bimetal.learn.search import narrowed
from bimetal.program.block import pack
from bimetal.program.operators.moving_moments import KINDS
from bimetal.program.program import Program
from bimetal.shrink.board import Board
from bimetal.shrink.budget import Fit, Need, Row
from bimetal.shrink.importance import order_by_importance

Judge = Callable[[Program, bytes], Fit]
"""Holds a program with a parameter block against the same processor and limits."""

DETECTOR = "detector"
"""What a program of learn/detector.py is called."""

LEAST_WINDOW = 8
LEAST_WEIGHTS = 256
"""Bytes of float parameters below which making them int8 is not worth a word."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One thing to try, what to do for it, and what that takes: `fit` where it was held against the limits,
    None where a figure is all there is."""

    what: str
    how: str
    fit: Fit | None = None


def alternatives(
    need: Need, values: Mapping[str, NDArray[Any]], signals: Sequence[str], here: Fit, judge: Judge
) -> Iterator[Alternative]:
    """Yield what would fit, for a program that does not; `signals` are the user's names, in their order."""
    yield from _fewer_signals(need.program, values, signals, judge)
    yield from _shorter_windows(need, here)
    yield from _int8(need, here)


def other_board(fits: Sequence[Fit], not_this: Board | None) -> Iterator[Alternative]:
    """Yield the other board with the least memory that a program fits, if there is one."""
    fitting = [(f.board, f) for f in fits if f.board and f.board is not not_this and f.fits]
    if fitting:
        board, found = min(fitting, key=lambda pair: pair[0].ram_bytes + pair[0].flash_bytes)
        yield Alternative(f"the board {board.name} ({board.part})", f"--board {board.name}", found)


def _fewer_signals(
    program: Program, values: Mapping[str, NDArray[Any]], signals: Sequence[str], judge: Judge
) -> Iterator[Alternative]:
    """Many signals of a detector that fit, as they would be trained, found by halving.

    They are the most that do, or the most of those that leave the same out of the program.
    """
    if program.title != DETECTOR or "own_centre" not in values or len(signals) < 2:
        return
    spans = values["own_centre"].shape[1] // KINDS
    order = order_by_importance(values, len(signals))
    low, high, best = 1, len(signals) - 1, None
    while low <= high:
        middle = (low + high) // 2
        fit = judge(*_detector(middle, spans))
        if fit.fits:
            low, best = middle + 1, (middle, fit)
        else:
            high = middle - 1
    if best:
        count, fit = best
        kept = [signals[k] for k in sorted(order[:count])]
        yield Alternative(
            f"{count} of its {len(signals)} signals, those that the others tell least",
            f"bimetal train DATA --signals {shlex.quote(','.join(kept))}",
            fit,
        )


def _detector(signals: int, spans: int) -> tuple[Program, bytes]:
    """Return the detector of so many signals and averaging spans; their lengths do not change its size.

    Two spans are what is left of five where there are very many signals.
    """
    names = [f"x{k}" for k in range(signals)]
    whole = Design(signals)
    lengths = whole.spans if spans == 2 else tuple(8.0 * 2.0**k for k in range(spans))
    design = narrowed(replace(whole, spans=lengths))
    program, draft = detector_program(design, names)
    return program, pack(program, draft.values)


def _shorter_windows(need: Need, here: Fit) -> Iterator[Alternative]:
    """How long the longest window may be, where memory is what lacks: what it takes grows with its length."""
    ram = here.row("ram")
    rings = [s for s in need.program.states if s.shape and s.shape[0] >= LEAST_WINDOW]
    if ram is None or ram.limit is None or ram.fits or not rings:
        return
    longest = max(s.shape[0] for s in rings)
    held = sum(s.init.nbytes for s in rings if s.shape[0] == longest)
    grows = held + need.lowered.scratch_bytes
    length = int(longest * (ram.limit - (ram.most - grows)) / grows)
    if length >= LEAST_WINDOW:
        yield Alternative(
            f"windows of {length} readings instead of {longest}",
            f"they and their scratch memory take {grows:,} bytes of RAM",
        )


def _int8(need: Need, here: Fit) -> Iterator[Alternative]:
    """What int8 weights would save, where flash is what lacks and a program has layers of them."""
    if need.program.title == DETECTOR:
        return
    flash = here.row("flash")
    floats = [p for p in need.program.params if p.dtype == "f32" and len(p.shape) > 1]
    weights = sum(4 * int(np.prod(p.shape)) for p in floats)
    if flash is None or flash.limit is None or flash.fits or weights < LEAST_WEIGHTS:
        return
    after = Row("flash", flash.used - weights * 3 // 4, flash.limit, "bytes", flash.how, flash.error)
    if after.fits:
        yield Alternative(
            f"weights as int8: about {after.used:,} bytes of flash instead of {flash.used:,}",
            "the operators dense_int8, conv1d_int8 and quantise",
        )
