"""`bimetal run`: score data, print explained events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bimetal.cli.columns import FOR_A_MODEL, column_options, hints_of
from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=("bimetal run plant.bm plant.csv", "tail -f plant.csv | bimetal run plant.bm - --json"),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--scores", type=click.Path(path_type=Path), help="Write the score of every row to this CSV.")
@column_options(*FOR_A_MODEL)
@as_json("Print one JSON object a line, one for each event.")
def command(model: Path, data: str, scores: Path | None, as_json: bool, **columns: Any) -> None:
    """Score a file, or standard input with -, and print an event wherever something begins or ends.

    A score of 1.0 is the alarm threshold. With --scores every row gets a line, warm-up included:
    row (from 0), time, device, score, alarm.
    """
    from bimetal.cli.scoring import score

    score(model, data, scores, as_json, hints_of(columns))
