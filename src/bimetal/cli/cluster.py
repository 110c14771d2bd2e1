"""`bimetal cluster`: write the configuration of a NATS server that keeps a fleet."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal cluster -o n1.conf",
        "bimetal cluster -o n1.conf --name n1 --route 10.0.0.1:6222 --peers 10.0.0.2:6222,10.0.0.3:6222",
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
@as_json()
def command(output: Path, name: str, listen: str, store: Path, route: str, peers: str, as_json: bool) -> None:
    """Write what nats-server is to be started with, so that what it acknowledges survives a power cut.

    With --route and --peers it is one of three or five, which go on when one of them is lost. Listening
    beyond 127.0.0.1 needs TLS and accounts, which are in the handbook of nats-server.
    """
    from bimetal.cluster.server import server_config
    from bimetal.keep.disk import write_whole

    others = [peer for peer in peers.split(",") if peer]
    if bool(route) != bool(others):
        raise click.UsageError("--route and --peers go together.")
    write_whole(output, server_config(name, listen, store, route, others).encode())
    if as_json:
        click.echo(json.dumps({"config": str(output), "url": f"nats://{listen}"}))
    else:
        click.echo(f"Start it with: nats-server -c {output}", err=True)
