"""`bimetal bridge`: a way into a fleet for devices that speak MQTT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bimetal.cli.command import Command, as_json
from bimetal.cli.fleet import cluster_of, on_cluster

_PATH = click.Path(path_type=Path)


@click.command(
    cls=Command,
    examples=(
        "bimetal bridge --data plant-data --lab",
        "bimetal bridge --data plant-data --brokers brokers.toml",
        "bimetal bridge --data plant-data --host 0.0.0.0 --listen-cert plant.pem --listen-key plant.key",
    ),
)
@click.option("--data", type=_PATH, required=True, help="The folder of tokens, and of what was refused.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address that devices connect to.")
@click.option(
    "--mqtt-port", type=click.IntRange(0, 65_535), help="0: any.  [default: 1883, with --listen-cert 8883]"
)
@click.option("--listen-cert", type=_PATH, help="The certificate that devices are shown (PEM).")
@click.option("--listen-key", type=_PATH, help="Its private key (PEM).")
@click.option("--client-ca", type=_PATH, help="Let in devices with a certificate of this authority (PEM).")
@click.option("--client-crl", type=_PATH, help="But not those on its list of revoked ones (PEM).")
@click.option("--brokers", type=_PATH, help="Read these MQTT brokers, too (TOML).")
@click.option("--lab", is_flag=True, help="Believe every device. Only this machine can connect.")
@on_cluster
@as_json("Print what was sent as JSON, at the end.")
def command(
    data: Path,
    host: str,
    mqtt_port: int | None,
    listen_cert: Path | None,
    listen_key: Path | None,
    client_ca: Path | None,
    client_crl: Path | None,
    brokers: Path | None,
    lab: bool,
    as_json: bool,
    **where: Any,
) -> None:
    """Take readings in over MQTT and hand them to a fleet's workers, through NATS JetStream.

    A device publishes, and is let in, as with bimetal serve. It is answered for a reading (PUBACK) only
    after JetStream has it on disk, on most of the servers that keep it. Run several, one behind each
    address of a load balancer; none of them keeps a reading. Certificates for devices are apart from
    those that the fleet's members show each other (--tls-...).
    """
    from bimetal.cli.bridging import Wish, bridge
    from bimetal.cli.entrance import Door, tls_of

    door = Door(host, mqtt_port, 0, tls_of(listen_cert, listen_key, client_ca), client_crl, lab)
    bridge(Wish(data, door, cluster_of(where), brokers, as_json))
