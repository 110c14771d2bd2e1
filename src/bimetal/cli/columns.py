"""Columns: the options by which a user names what need not be found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from bimetal.wire.table.hints import Hints

Decorated = Callable[..., Any]


def column_options(command: Decorated) -> Decorated:
    """Add --time, --signals, --ignore, --label and --device; `hints_of` reads them."""
    for name, help_text in (
        ("--device", "The column that names the device."),
        ("--label", "The column that marks rows known to be bad."),
        ("--ignore", "Columns to leave out, with commas between."),
        ("--signals", "The only columns to use, with commas between."),
        ("--time", "The time column (two with a comma between: date,time)."),
    ):
        command = click.option(
            name, metavar="COLUMNS" if name in ("--signals", "--ignore") else "COLUMN", help=help_text
        )(command)
    return command


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
