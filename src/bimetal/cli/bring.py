"""`bimetal bring`: a net or a forest that was trained elsewhere becomes a model, in floats or as int8."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal bring net.onnx rows.csv -o net.bm",
        "bimetal bring net.onnx rows.csv --int8 --answers label -o small.bm",
    ),
)
@click.argument("net", type=click.Path(path_type=Path))
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The model file to write."
)
@click.option("--int8", is_flag=True, help="Make weights and values whole numbers of 8 bits.")
@click.option("--answers", metavar="COLUMN", help="The column of ROWS with known classes or values.")
@click.option("--most-loss", metavar="SHARE", type=float, help="Refuse int8 that loses more, such as 0.02.")
@as_json()
def command(
    net: Path,
    rows: Path,
    output: Path,
    int8: bool,
    answers: str | None,
    most_loss: float | None,
    as_json: bool,
) -> None:
    """Make a model of an ONNX file, for rows like those of a CSV file.

    ROWS has a heading, and a column for each column of the net, in its order; of a net over time the first
    reading of every channel, then the second ones. With --int8 two thirds of the rows show how large values
    become, and on the others it is told what was lost. `bimetal build` then makes C or WebAssembly of it.
    """
    from bimetal.cli.bringing import Wanted, bring
    from bimetal.cli.saying import say

    brought = bring(net, rows, output, Wanted(int8, answers, most_loss))
    if as_json:
        click.echo(json.dumps(brought.plain(output)))
        return
    for line in brought.lines(output):
        say(line)
