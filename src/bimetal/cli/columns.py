"""Columns: the options by which a user names what need not be found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from bimetal.wire.table.hints import Hints

Decorated = Callable[..., Any]


OPTIONS = {
    "--time": "The time column (two with a comma between: date,time).",
    "--signals": "The only columns to use, with commas between.",
    "--ignore": "Columns to leave out, with commas between.",
    "--label": "The column that marks rows known to be bad.",
    "--device": "The column that names the device.",
}
FOR_A_MODEL = ("--time", "--ignore", "--device")
"""Those that make sense with a model, which knows its signals."""


def column_options(*names: str) -> Callable[[Decorated], Decorated]:
    """Add these of the options, all if none is named; `hints_of` reads them."""

    def add(command: Decorated) -> Decorated:
        for name in reversed(names or tuple(OPTIONS)):
            many = "COLUMNS" if name in ("--signals", "--ignore") else "COLUMN"
            command = click.option(name, metavar=many, help=OPTIONS[name])(command)
        return command

    return add


def hints_of(options: dict[str, str | None]) -> Hints:
    """Return the hints that the options give."""
    signals, ignore = options.get("signals"), options.get("ignore")
    return Hints(
        time=options.get("time"),
        signals=_listed(signals) if signals else None,
        ignore=_listed(ignore) if ignore else (),
        label=options.get("label"),
        device=options.get("device"),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
