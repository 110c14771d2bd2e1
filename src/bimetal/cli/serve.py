"""`bimetal serve`: take readings in over MQTT and HTTP, keep them, and watch them with models."""

from __future__ import annotations

from pathlib import Path

import click

from bimetal.cli.command import Command, as_json

_PATH = click.Path(path_type=Path)
_PORT = click.IntRange(0, 65_535)


@click.command(
    cls=Command,
    examples=(
        "bimetal serve --data plant-data --lab",
        "bimetal serve --data plant-data --lab --model plant.bm",
        "bimetal serve --data plant-data --brokers brokers.toml",
        "bimetal serve --data plant-data --tls-cert plant.pem --tls-key plant.key --client-ca ca.pem",
    ),
)
@click.option("--data", type=_PATH, required=True, help="The folder to keep readings in.")
@click.option("--model", "models", type=_PATH, multiple=True, help="Watch with this model.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address that devices connect to.")
@click.option("--mqtt-port", type=_PORT, help="0: any.  [default: 1883, with TLS 8883]")
@click.option("--http-port", type=_PORT, default=8765, show_default=True, help="Of the page. 0: any.")
@click.option("--https-port", type=_PORT, default=8443, show_default=True, help="For devices. 0: any.")
@click.option("--tls-cert", type=_PATH, help="The certificate of this server (PEM).")
@click.option("--tls-key", type=_PATH, help="Its private key (PEM).")
@click.option("--client-ca", type=_PATH, help="Let in devices with a certificate of this authority (PEM).")
@click.option("--client-crl", type=_PATH, help="But not those on its list of revoked ones (PEM).")
@click.option("--brokers", type=_PATH, help="Read these MQTT brokers, too (TOML).")
@click.option("--map", "shape", type=_PATH, help="Where readings are in JSON of your shape (TOML).")
@click.option("--purposes", type=_PATH, help="What is kept why, and for how long (TOML).")
@click.option("--catalog", metavar="URL", default="", help="Share what is kept, by a PostgreSQL database.")
@click.option(
    "--segments", metavar="PLACE", default="", help="Readings lie in s3://BUCKET/PREFIX or a folder."
)
@click.option("--lab", is_flag=True, help="Believe every device. Only this machine can connect.")
@as_json("Print alarms as JSON, one a line.")
def command(
    data: Path,
    models: tuple[Path, ...],
    host: str,
    mqtt_port: int | None,
    http_port: int,
    https_port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
    client_crl: Path | None,
    brokers: Path | None,
    shape: Path | None,
    purposes: Path | None,
    catalog: str,
    segments: str,
    lab: bool,
    as_json: bool,
) -> None:
    """Take readings in, keep them, score them with models, and show all of it on a page.

    A device publishes JSON such as {"ts": 1767225600000, "pressure": 3.2} under readings/DEVICE over
    MQTT 3.1.1 or 5, or posts it to /api/v1/devices/DEVICE/readings. What was acknowledged is safe.
    A device shows its token (see bimetal token), over MQTT as the password with its name as the
    user, over HTTP as Authorization: Bearer TOKEN; or with --client-ca its certificate (see bimetal
    certify). Other machines can connect only with TLS; the page is for this machine alone.
    """
    from bimetal.cli.entrance import Door, tls_of
    from bimetal.cli.serving import Wish, serve

    door = Door(host, mqtt_port, https_port, tls_of(tls_cert, tls_key, client_ca), client_crl, lab)
    serve(Wish(data, models, door, http_port, as_json, shape, purposes, catalog, segments, brokers))
