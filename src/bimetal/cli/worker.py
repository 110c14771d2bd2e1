"""`bimetal worker`: one of many processes that run a model on a fleet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bimetal.cli.command import Command, as_json
from bimetal.cli.fleet import cluster_of, on_cluster


@click.command(
    cls=Command,
    examples=(
        "bimetal worker plant.bm",
        "bimetal worker plant.bm --cluster nats://a:4222,nats://b:4222,nats://c:4222 --replicas 3",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--name", default="", help="What the model is called in the fleet; else as its file.")
@on_cluster
@as_json("Print what was done as JSON, at the end.")
def command(
    model: Path,
    name: str,
    as_json: bool,
    **where: Any,
) -> None:
    """Run a model on a share of a fleet's devices, until interrupted.

    Start as many as there is work for, on any machines that reach the NATS servers; stop or kill any
    of them at any time. Each row is scored once, and says what a single machine would say. Readings
    come from bimetal bridge; what was said lies in the stream FLEET-out-MODEL of the NATS servers.
    """
    from bimetal.cli.working import Wish, work

    work(Wish(model, name, cluster_of(where), as_json))
