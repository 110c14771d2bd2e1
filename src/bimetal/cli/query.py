"""`bimetal query`: ask in SQL what is kept."""

from __future__ import annotations

from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        'bimetal query --data plant-data "SELECT device, signal, count(*) FROM readings GROUP BY ALL"',
        'bimetal query --data plant-data --json "FROM events WHERE alarm"',
        'bimetal query --data plant-data --since 2026-01-31 --export day.parquet "FROM readings"',
    ),
)
@click.argument("question", metavar="SQL")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder of what is kept.")
@click.option("--catalog", metavar="URL", default="", help="Of servers that share what is kept.")
@click.option("--segments", metavar="PLACE", default="", help="And where their readings lie.")
@click.option("--since", metavar="TIME", help="Only from then on: 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", metavar="TIME", help="Only from before then.")
@click.option("--device", "devices", metavar="NAME", multiple=True, help="Only of this device.")
@click.option("--signal", "signals", metavar="NAME", multiple=True, help="Only readings of this signal.")
@click.option("--limit", type=click.IntRange(1), help="At most so many rows; a table stops at 100 by itself.")
@click.option(
    "--export",
    type=click.Path(path_type=Path),
    help="Write a Parquet or CSV file, whole or not at all.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.001), default=600, show_default=True, help="Give up after so long."
)
@as_json("Print one JSON object a row.")
def command(
    question: str,
    data: Path,
    since: str | None,
    until: str | None,
    devices: tuple[str, ...],
    signals: tuple[str, ...],
    limit: int | None,
    export: Path | None,
    seconds: float,
    catalog: str,
    segments: str,
    as_json: bool,
) -> None:
    """Ask in SQL what is kept, beside a running bimetal or without one; nothing can be changed by it.

    Tables: readings (device, signal, time, value, quality), events, signals, quarantine. Times are
    UTC. What --since, --until, --device and --signal leave out is not read from disk at all.
    """
    from bimetal.cli.querying import Wish, query
    from bimetal.keep.place import settle

    settle(data, catalog, segments)
    query(Wish(question, data, since, until, devices, signals, limit, export, seconds), as_json)
