"""`bimetal serve`: take readings in over MQTT and HTTP, keep them, and watch them with models."""

from __future__ import annotations

from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal serve --data plant-data --lab",
        "bimetal serve --data plant-data --lab --model plant.bm",
    ),
)
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="The folder to keep readings in."
)
@click.option(
    "--model", "models", type=click.Path(path_type=Path), multiple=True, help="Watch with this model."
)
@click.option("--mqtt-port", type=click.IntRange(0, 65_535), default=1883, show_default=True, help="0: any.")
@click.option("--http-port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="0: any.")
@click.option("--lab", is_flag=True, help="Believe every device. Only this machine can connect.")
@as_json("Print alarms as JSON, one a line.")
def command(
    data: Path, models: tuple[Path, ...], mqtt_port: int, http_port: int, lab: bool, as_json: bool
) -> None:
    """Take readings in, keep them, score them with models, and show all of it on a page.

    A device publishes JSON such as {"ts": 1767225600000, "pressure": 3.2} under readings/DEVICE over
    MQTT 3.1.1 or 5, or posts it to /api/v1/devices/DEVICE/readings. What was acknowledged is safe.
    Without --lab a device shows its token (see bimetal token): over MQTT as the password with its
    name as the user, over HTTP as Authorization: Bearer TOKEN.
    """
    from bimetal.cli.serving import Wish, serve

    serve(Wish(data, models, mqtt_port, http_port, lab, as_json))
