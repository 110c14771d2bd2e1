"""`bimetal demo`: a living plant that is learned, watched and explained while you look on."""

from __future__ import annotations

from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(cls=Command, examples=("bimetal demo", "bimetal demo --headless --seconds 120 --json"))
@click.option("--seconds", type=click.FloatRange(40, 86_400), help="End by itself after so long.")
@click.option("--machines", type=click.IntRange(1, 100), default=12, show_default=True, help="Of the plant.")
@click.option("--false-alarms", default="1/hour", show_default=True, help="Of each machine.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Another plant.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="Of the page.")
@click.option("--mqtt-port", type=click.IntRange(0, 65_535), default=0, help="For the machines.")
@click.option("--data", type=click.Path(path_type=Path), help="The folder to keep everything in.")
@click.option("--headless", is_flag=True, help="Without the page.")
@as_json("Print one JSON object at the end.")
def command(
    seconds: float | None,
    machines: int,
    false_alarms: str,
    seed: int,
    port: int,
    mqtt_port: int,
    data: Path | None,
    headless: bool,
    as_json: bool,
) -> None:
    """Start machines that publish over MQTT on this computer alone, learn what is normal, and watch.

    Faults begin while you look; alarms say why. Ctrl-C ends all of it; with --seconds it ends by
    itself, and fails with exit code 3 unless every fault was found.
    """
    from bimetal.cli.living import Wish, live

    page = None if headless else port
    live(Wish(seconds, machines, false_alarms, seed, page, mqtt_port, data), as_json)
