"""Certificate: what a program takes on a processor and whether that is there, as a record and in words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from bimetal.program.digest import digest
from bimetal.program.node import EVERY, Clock
from bimetal.program.program import Program
from bimetal.shrink.budget import Firing, Fit, Need, Row
from bimetal.shrink.machine import FLAGS
from bimetal.targets.project import Files

FORMAT = 1
FILE = "certificate.json"


def certificate(
    need: Need, block: bytes, fit: Fit, files: Files, model: Program | None = None
) -> dict[str, Any]:
    """Return the record: which program with which parameters, what it takes, of what, and every file's hash.

    `model` is the program it was made of, where that is another one: its forests lie in another form.
    Signing it signs the folder. Sizes are bytes, work is instructions.
    """
    program, origin = digest(need.program).hex(), digest(model or need.program).hex()
    return {
        "format": FORMAT,
        "program": program,
        **({"made_of": origin} if origin != program else {}),
        "parameters_sha256": hashlib.sha256(block).hexdigest(),
        **judgement(fit),
        "flags": [*FLAGS, *fit.machine.options],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }


def judgement(fit: Fit) -> dict[str, Any]:
    """Return a fit as plain numbers and texts."""
    board = fit.board
    return {
        "processor": fit.machine.name,
        "board": board.name if board else None,
        "fits": fit.fits,
        "compiler": fit.compiler or None,
        "takes": {row.name: _row(row) for row in fit.rows},
        "ram_is": dict(fit.memory),
        "clocks": [_firing(f) for f in fit.firings],
        "notes": list(fit.notes),
    }


def _firing(firing: Firing) -> dict[str, Any]:
    clock = {"period": firing.clock.period, "first": firing.clock.first}
    return {**clock, "instructions": firing.instructions, "error": firing.error}


def _row(row: Row) -> dict[str, Any]:
    return {"used": row.used, "error": row.error, "limit": row.limit, "how": row.how, "fits": row.fits}


def lines(fit: Fit) -> Iterator[str]:
    """Yield the words of a fit: a line for each resource, one for each clock, and what is left out."""
    for row in fit.rows:
        yield f"{row.name:<13}{figure(row):<46}{room(row)}".rstrip()
        if row.name == "ram":
            yield f"{'':<13}of it {', '.join(f'{name} {size:,}' for name, size in fit.memory.items())}"
    for firing in fit.firings if len(fit.firings) > 1 else ():
        yield f"{'':<13}of it {when(firing.clock)} {firing.instructions:,}, {firing.error:,} more at most"
    yield from (f"note: {note}" for note in fit.notes)


def sentence(fit: Fit) -> str:
    """Return all of it in one line of ASCII."""
    said = "; ".join(f"{row.name} {figure(row)}{_of(row)}" for row in fit.rows)
    return f"{'Fits' if fit.fits else 'Does not fit'} {fit.name}: {said}."


def figure(row: Row) -> str:
    """Return what is used, and where that comes from."""
    unit = "" if row.name == "instructions" else " bytes"
    off = f", {row.error:,} more at most" if row.error else ""
    return f"{row.used:,}{unit}, {row.how}{off}"


def room(row: Row) -> str:
    """Return how much there is, and whether that suffices."""
    if row.limit is None:
        return ""
    verdict = "fits" if row.fits else f"{row.most - row.limit:,} too many"
    return f"of {row.limit:,}: {verdict}{share(row.used, row.limit)}"


def share(used: int, limit: int | None) -> str:
    """Return which part of what there is is used, in brackets after a space; "" where that says nothing."""
    if not limit:
        return ""
    part = 100 * used / limit
    return f" ({part:,.0f} %)" if part >= 10 else f" ({part:.2g} %)" if part >= 0.1 else " (under 0.1 %)"


def lacks(fit: Fit) -> str:
    """Return in words what does not fit, "" where all does."""
    return "; ".join(f"{row.name} takes {figure(row)}{_of(row)}" for row in fit.rows if not row.fits)


def figures(fit: Fit) -> str:
    """Return what every resource takes, shortly."""
    return ", ".join(f"{row.name} {row.most:,}" for row in fit.rows if row.name != "stack")


def when(clock: Clock) -> str:
    """Return in words when a clock fires."""
    return "at every reading" if clock == EVERY else f"at every {clock.period}th reading"


def _of(row: Row) -> str:
    return "" if row.limit is None else f", of {row.limit:,}"
