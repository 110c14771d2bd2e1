"""`bimetal train`: learn what is normal from a user's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bimetal.cli.columns import column_options, hints_of
from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal train plant.csv -o plant.bm --false-alarms 1/week",
        "bimetal train site-*.csv -o models --each --ray local",
    ),
)
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The model file to write."
)
@click.option(
    "--false-alarms",
    metavar="RATE",
    default="1/week",
    show_default=True,
    help="How many each device may raise; 2/day and 1/month work too.",
)
@click.option(
    "--tier",
    type=click.Choice(["mcu", "server"]),
    default="mcu",
    show_default=True,
    help="Where it is to run: mcu keeps the state of very many signals within 16 KB.",
)
@click.option(
    "--leave-out",
    metavar="START/END[/DEVICE]",
    multiple=True,
    help="A time that was a fault: nothing is learned from it. As often as there were.",
)
@click.option("--each", is_flag=True, help="A model for each DATA, file or folder; OUTPUT is a folder.")
@click.option(
    "--ray", default="", metavar="ADDRESS", help="With --each: on a Ray cluster, or `local` processors."
)
@column_options()
@as_json()
def command(
    data: tuple[Path, ...],
    output: Path,
    false_alarms: str,
    tier: str,
    leave_out: tuple[str, ...],
    each: bool,
    ray: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Learn what is normal from CSV or Parquet files; nothing needs to be configured.

    Separator, decimal comma, time column, period, units, gaps, constant and text columns are found
    out and shown. Rows that a label column marks are not learned from. The moments that stand out in the
    history are named: leave out those that were faults.
    """
    if each:
        if leave_out:
            raise click.UsageError("--leave-out is said of one history: it does not go with --each.")
        from bimetal.cli.site import teach_sites

        teach_sites(data, output, false_alarms, tier, as_json, hints_of(columns), ray)
        return
    if ray:
        raise click.UsageError("--ray learns many models at once: it goes with --each.")
    from bimetal.cli.report import Wish
    from bimetal.cli.teaching import teach

    wish = Wish(data, output, false_alarms, tier, leave_out, hints_of(columns))
    teach(wish, as_json)
