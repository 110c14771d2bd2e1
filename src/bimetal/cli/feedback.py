"""`bimetal feedback`: say what an alarm was, and let the model know it from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bimetal.cli.columns import FOR_A_MODEL, column_options, hints_of
from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal feedback plant.bm --data plant-data --event 812:0:plant:pump-03 --not-a-fault",
        'bimetal feedback plant.bm --data plant.csv --at 2026-01-31T12:00:00Z --fault --name "valve blocked"',
        "bimetal feedback plant.bm --undo 2",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    help="The folder of what is kept, or tables, in which the alarm was.",
)
@click.option("--event", metavar="ID", help="Which alarm: its id, as bimetal query gives it.")
@click.option("--at", metavar="TIME", help="Which alarm: when it began, or was on.")
@click.option("--of", "owner", metavar="DEVICE", help="Whose alarm, where there are several devices.")
@click.option(
    "--sensor", metavar="SIGNAL", help="What was said of this sensor at that time is meant, no alarm."
)
@click.option("--not-a-fault", "verdict", flag_value="not a fault", help="It was nothing: silence its like.")
@click.option("--fault", "verdict", flag_value="fault", help="It was a fault: alarm sooner for its like.")
@click.option("--name", default="", help="What people call it; later alarms are compared with it by name.")
@click.option("--everywhere", is_flag=True, help="It goes for every device, not for this one alone.")
@click.option("--who", default="", help="Who says so; kept with the model.")
@click.option("--undo", type=click.IntRange(1), metavar="NUMBER", help="Take a label back.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the model there instead.")
@column_options(*FOR_A_MODEL)
@as_json()
def command(
    model: Path,
    data: tuple[Path, ...],
    event: str | None,
    at: str | None,
    owner: str | None,
    sensor: str | None,
    verdict: str | None,
    name: str,
    everywhere: bool,
    who: str,
    undo: int | None,
    output: Path | None,
    as_json: bool,
    **columns: Any,
) -> None:
    """Say what an alarm, or a notice about a sensor, was; without one, list what was said so far.

    What was not a fault is silent when it recurs, what was one is told sooner; everything else is told as
    before. Labels are kept on the model's card, which is signed anew; none is ever lost, each can be undone.
    """
    from bimetal.cli.labelling import Wish, label

    wish = Wish(
        model, data, event, at, owner, sensor, verdict, name, everywhere, who, undo, output, hints_of(columns)
    )
    label(wish, as_json)
