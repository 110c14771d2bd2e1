"""Fleet: which fleet, on which servers: the options that every command past one machine has."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:  # what a command's help needs nothing of
    from bimetal.cluster.jet import Jet
    from bimetal.cluster.name import Fleet

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a fleet is: NATS servers, what they let this process in by, and what it is called there."""

    servers: tuple[str, ...]
    credentials: Path | None
    name: str
    shards: int
    replicas: int

    @property
    def fleet(self) -> Fleet:
        """The fleet; raises BadInput as `Fleet` does."""
        from bimetal.cluster.name import Fleet

        return Fleet(self.name, self.shards, self.replicas)

    async def connect(self) -> Jet:
        """Connect to the servers; raises as `connect` does."""
        from bimetal.cluster.jet import connect

        return await connect(list(self.servers), str(self.credentials or ""))


def cluster_of(options: dict[str, Any]) -> Cluster:
    """Return what the options of `on_cluster` say."""
    servers = tuple(url for url in options["cluster"].split(",") if url)
    return Cluster(servers, options["credentials"], options["fleet"], options["shards"], options["replicas"])


def on_cluster(command: F) -> F:
    """Add --cluster, --credentials, --fleet, --shards and --replicas; `cluster_of` reads them."""
    for option in reversed((
        click.option(
            "--cluster", default="nats://127.0.0.1:4222", show_default=True, help="NATS servers, with commas."
        ),
        click.option(
            "--credentials", type=click.Path(path_type=Path), help="The credentials file of your NATS."
        ),
        click.option("--fleet", default="bimetal", show_default=True, help="What the fleet is called."),
        click.option("--shards", type=int, default=64, show_default=True, help="Parts it has, for ever."),
        click.option("--replicas", type=int, default=1, show_default=True, help="Servers that keep it all."),
    )):  # fmt: skip
        command = option(command)
    return command


def process_name() -> str:
    """Return a name for this process that no other has, or had."""
    host = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in socket.gethostname())
    return f"{host[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
