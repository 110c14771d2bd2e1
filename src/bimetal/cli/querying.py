"""Querying: the work of `bimetal query`, imported when it is called."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click

from bimetal.cli.whole import check_place
from bimetal.keep.asked import EARLIEST_NS, LATEST_NS, Asked
from bimetal.keep.event_line import json_line, time_ns_of
from bimetal.nouns.errors import BadInput, Unsupported

TABLE_ROWS = 100
WIDEST = 60
"""Characters of a cell; what is longer is cut, and --json prints it whole."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; None and empty: no bound."""

    question: str
    folder: Path
    since: str | None
    until: str | None
    devices: tuple[str, ...]
    signals: tuple[str, ...]
    limit: int | None
    export: Path | None
    seconds: float


def query(wish: Wish, as_json: bool) -> None:
    """Answer a question on standard output, or in a file; says on standard error what was left out."""
    try:
        from bimetal.keep.query import querying
    except ModuleNotFoundError as absent:
        raise Unsupported(
            f"{absent.name}, which answers SQL, is not installed", hint="pip install 'bimetal[query]'"
        ) from None
    asked = Asked(
        wish.devices or None,
        wish.signals or None,
        EARLIEST_NS if wish.since is None else instant(wish.since),
        LATEST_NS if wish.until is None else instant(wish.until),
    )
    if wish.export is not None:
        check_place(wish.export)
    with querying(wish.folder, asked) as asking:
        answer = asking.ask(wish.question, wish.seconds)
        if wish.export is not None:
            rows = answer.write(wish.export, wish.limit)
            said = {"file": str(wish.export), "rows": rows}
            click.echo(json_line(said).decode() if as_json else f"{wish.export}: {rows:,} rows.")
            return
        limit = wish.limit if as_json or wish.limit else TABLE_ROWS
        rows = answer.rows()
        (_print_json if as_json else _print_table)(answer.columns, islice(rows, limit))
        if limit is not None and next(rows, None) is not None:
            click.echo(f"There are more than {limit:,} rows: --limit shows more.", err=True)


def instant(text: str) -> int:
    """Return nanoseconds since 1970 of a time a user wrote; raises BadInput for another form."""
    for suffix in ("", "Z", "T00:00:00Z", ":00Z"):
        with contextlib.suppress(BadInput):
            return time_ns_of(text + suffix)
    raise BadInput(f"{text[:40]!a} is not a time like 2026-01-31 or 2026-01-31T12:00:00Z")


def _print_json(columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    for row in rows:
        click.echo(json_line(dict(zip(columns, row, strict=True))).decode())


def _print_table(columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    table = [[_cell(name) for name in columns], *([_cell(value) for value in row] for row in rows)]
    widths = [max(_width(row[k]) for row in table) for k in range(len(columns))]
    for number, row in enumerate(table):
        line = "  ".join(cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True))
        click.echo(line.rstrip())
        if number == 0:
            click.echo("  ".join("-" * w for w in widths))


def _cell(value: object) -> str:
    """Return a value as it may stand on a terminal: printable, and not too wide."""
    text = value if isinstance(value, str) else json_line(value).decode()
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
