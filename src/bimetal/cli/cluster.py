"""`bimetal cluster`: write the configuration of a NATS server that keeps a fleet."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json
from bimetal.cli.fleet import on_tls


@click.command(
    cls=Command,
    examples=(
        "bimetal cluster -o n1.conf",
        "bimetal cluster -o n1.conf --name n1 --route 127.0.0.1:6222 --peers 127.0.0.1:6223,127.0.0.1:6224",
        "bimetal cluster -o n1.conf --listen n1.example.com:4222 --tls-cert n1.example.com.pem "
        "--tls-key n1.example.com.key --tls-ca ca.pem",
    ),
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--name", default="n1", show_default=True, help="The server's name; no other has it.")
@click.option("--listen", default="127.0.0.1:4222", show_default=True, help="Where clients reach it.")
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=Path("nats-data"),
    show_default=True,
    help="Its folder.",
)
@click.option("--route", default="", help="Where other servers reach it, with --peers.")
@click.option("--peers", default="", help="Where it reaches the others, with commas.")
@on_tls
@as_json()
def command(
    output: Path,
    name: str,
    listen: str,
    store: Path,
    route: str,
    peers: str,
    as_json: bool,
    **tls: Path | None,
) -> None:
    """Write what nats-server is to be started with, so that what it acknowledges survives a power cut.

    With --route and --peers it is one of three or five, which go on when one of them is lost. Listening
    beyond 127.0.0.1 needs TLS: bimetal certify --member makes certificates, and who has none is not let in.
    """
    from bimetal.cli.entrance import tls_of
    from bimetal.cluster.server import server_config
    from bimetal.keep.disk import write_whole
    from bimetal.trust.tls import server_context

    others = [peer for peer in peers.split(",") if peer]
    if bool(route) != bool(others):
        raise click.UsageError("--route and --peers go together.")
    files = tls_of(tls["tls_cert"], tls["tls_key"], tls["tls_ca"])
    if files:
        if files.client_ca is None:
            raise click.UsageError("--tls-cert, --tls-key and --tls-ca go together.")
        server_context(files)  # says what is wrong with a file before nats-server does
    write_whole(output, server_config(name, listen, store, route, others, files).encode())
    if as_json:
        click.echo(json.dumps({"config": str(output), "url": f"nats://{listen}"}))
    else:
        click.echo(f"Start it with: nats-server -c {output}", err=True)
