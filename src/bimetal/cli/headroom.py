"""`bimetal headroom`: say which limit a server comes to first, and when."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=("bimetal headroom --data plant-data", "bimetal headroom --data plant-data --keep-days 90"),
)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder of bimetal serve.")
@click.option(
    "--keep-days", type=click.FloatRange(0.01, 36_500), help="If readings were removed after so long."
)
@as_json()
def command(data: Path, keep_days: float | None, as_json: bool) -> None:
    """Say which limit a server comes to first: taking readings in, scoring, disk or memory.

    It is worked out from what bimetal serve noted in its folder, beside a running one or afterwards:
    what came in, what a reading costs, and how both grew. A date comes with an interval that holds
    nine times of ten if things go on as they did; none is told before ten minutes were watched.
    """
    from bimetal.cli.roominess import Wish, tell

    if keep_days is not None and isnan(keep_days):
        raise click.BadParameter("nan is no number of days", param_hint="--keep-days")
    tell(Wish(data, keep_days), as_json)
