"""`bimetal eval`: how well a model does on data whose faults are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bimetal.cli.columns import column_options, hints_of
from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal eval plant.bm plant.csv --label fault",
        "bimetal eval plant.bm plant.csv --label fault --report plant.html --against river,pyod,scikit-learn",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path), nargs=-1, required=True)
@column_options("--label", "--time", "--ignore", "--device")
@click.option(
    "--events",
    type=click.Path(path_type=Path),
    help="A CSV of what was wrong when, instead of a label column: start,end[,device][,signals].",
)
@click.option(
    "--causes",
    type=click.Path(path_type=Path),
    help="A CSV of the same form beside --label: only for which signals were at fault.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write one HTML page with tables and plots.")
@click.option(
    "--against", metavar="NAMES", default="", help="Compare with detectors of river, pyod, scikit-learn."
)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    multiple=True,
    help="What those compared with learn from; else the first fifth of the data.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of the intervals, and of what is random."
)
@as_json()
def command(
    model: Path,
    data: tuple[Path, ...],
    events: Path | None,
    causes: Path | None,
    report: Path | None,
    against: str,
    history: tuple[Path, ...],
    seed: int,
    as_json: bool,
    **columns: Any,
) -> None:
    """Judge a model on labelled data, strictly causal, at the threshold it was shipped with.

    Simple detectors stand beside it: random, all ones, z-score, seasonal naive. Every figure comes with the
    interval that 90 of 100 drawings of the same data lie in. A label of 0, false, normal, ok, healthy or
    nothing is healthy, every other is not.
    """
    from bimetal.cli.evaluating import Wish, evaluate

    evaluate(Wish(model, data, hints_of(columns), events, causes, report, against, history, seed), as_json)
