"""`bimetal boards`: the boards that are known, and whether a model fits each."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(cls=Command, examples=("bimetal boards", "bimetal boards plant.bm"))
@click.argument("model", type=click.Path(path_type=Path), required=False)
@as_json()
def command(model: Path | None, as_json: bool) -> None:
    """List boards with flash, RAM, clock and processor; with a model, say for each whether it fits.

    Bytes are measured where a compiler for the processor is here, else estimated (~) with an error that
    is counted against the model; instructions must end before the next reading comes.
    """
    from bimetal.cli.saying import say
    from bimetal.cli.tabling import board_lines, board_records, fit_lines, fit_records

    if as_json:
        click.echo(json.dumps(fit_records(model) if model else board_records()))
        return
    for line in fit_lines(model) if model else board_lines():
        say(line)
