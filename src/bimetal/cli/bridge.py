"""`bimetal bridge`: a way into a fleet for devices that speak MQTT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bimetal.cli.command import Command, as_json
from bimetal.cli.fleet import cluster_of, on_cluster


@click.command(cls=Command, examples=("bimetal bridge --data plant-data --lab",))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder of tokens, and of what was refused.",
)
@click.option("--mqtt-port", type=click.IntRange(0, 65_535), default=1883, show_default=True, help="0: any.")
@click.option("--lab", is_flag=True, help="Believe every device. Only this machine can connect.")
@on_cluster
@as_json("Print what was sent as JSON, at the end.")
def command(
    data: Path,
    mqtt_port: int,
    lab: bool,
    as_json: bool,
    **where: Any,
) -> None:
    """Take readings in over MQTT and hand them to a fleet's workers, through NATS JetStream.

    A device publishes as it does to bimetal serve. It is answered for a reading (PUBACK) only after
    JetStream has it on disk, on most of the servers that keep it. Run several, one behind each
    address of a load balancer; none of them keeps a reading.
    """
    from bimetal.cli.bridging import Wish, bridge

    bridge(Wish(data, mqtt_port, lab, cluster_of(where), as_json))
