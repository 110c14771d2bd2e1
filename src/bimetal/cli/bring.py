"""`bimetal bring`: a net or a forest trained elsewhere becomes a model, in whole numbers if it can."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal bring net.onnx rows.csv -o net.bm",
        "bimetal bring net.onnx rows.csv --answers label --profile integer -o small.bm",
    ),
)
@click.argument("net", type=click.Path(path_type=Path))
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The model file to write."
)
@click.option(
    "--profile",
    type=click.Choice(["integer", "f32"]),
    help="integer: whole numbers, or none; f32: floats. Else whole numbers where they lose little.",
)
@click.option("--answers", metavar="COLUMN", help="The column of ROWS with known classes or values.")
@click.option(
    "--most-loss", metavar="SHARE", type=float, help="So much may whole numbers lose. [default: 0.02]"
)
@as_json()
def command(
    net: Path,
    rows: Path,
    output: Path,
    profile: str | None,
    answers: str | None,
    most_loss: float | None,
    as_json: bool,
) -> None:
    """Make a model of an ONNX file, for rows like those of a CSV file.

    ROWS has a heading, and a column for each column of the net, in its order; of a net over time the first
    reading of every channel, then the second ones. A net becomes one of int8: two thirds of the rows show
    how large values become, and on the others it is told what was lost: .02 of accuracy, AUC or error is
    allowed; without --answers, another class in .05 of the rows, or values that are .1 of their spread
    apart. Where more is lost, or there is no int8 of a layer, it stays in floats, and it is said why.
    `bimetal build` then makes C or WebAssembly of it.
    """
    from bimetal.cli.bringing import Wanted, bring
    from bimetal.cli.saying import say

    brought = bring(net, rows, output, Wanted(profile, answers, most_loss))
    if as_json:
        click.echo(json.dumps(brought.plain(output)))
        return
    for line in brought.lines(output):
        say(line)
