"""`bimetal show`: what a model knows about itself."""

from __future__ import annotations

from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(cls=Command, examples=("bimetal show plant.bm",))
@click.argument("model", type=click.Path(path_type=Path))
@as_json()
def command(model: Path, as_json: bool) -> None:
    """Print a model's card: signals, usual ranges, data window, promise, limits, who signed it."""
    from bimetal.cli.opening import open_model
    from bimetal.cli.saying import say
    from bimetal.cli.showing import figures, lines
    from bimetal.keep.event_line import json_line

    sealed = open_model(model)
    if as_json:
        click.echo(json_line(figures(sealed)).decode())
        return
    for line in lines(sealed, str(model)):
        say(line)
