"""Fleet: which fleet, on which servers: the options that every command past one machine has."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from bimetal.nouns.errors import BadInput, NotAllowed

if TYPE_CHECKING:  # what a command's help needs nothing of
    from bimetal.cluster.jet import Jet
    from bimetal.cluster.name import Fleet

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a fleet is: NATS servers, what they let this process in by, and what it is called there.

    With `ca`, they are spoken to over TLS alone, and must have a certificate of that authority; `cert` and
    `key` are this process's own.
    """

    servers: tuple[str, ...]
    credentials: Path | None
    ca: Path | None
    cert: Path | None
    key: Path | None
    name: str
    shards: int
    replicas: int

    @property
    def fleet(self) -> Fleet:
        """The fleet; raises BadInput as `Fleet` does."""
        from bimetal.cluster.name import Fleet

        return Fleet(self.name, self.shards, self.replicas)

    async def connect(self) -> Jet:
        """Connect to the servers; raises as `connect` and `client_context` do.

        Raises NotAllowed for one beyond this machine without TLS.
        """
        from bimetal.cli.entrance import tls_of
        from bimetal.cluster.jet import connect
        from bimetal.trust.tls import client_context

        if self.ca is None:
            self._check_plain()
        own = tls_of(self.cert, self.key, self.ca) if self.cert or self.key else None
        tls = client_context(self.ca, own) if self.ca else None
        return await connect(list(self.servers), str(self.credentials or ""), tls=tls)

    def _check_plain(self) -> None:
        from bimetal.trust.tls import is_loopback

        if self.cert or self.key:
            raise BadInput("TLS needs to know whom to believe", hint="Give --tls-ca too")
        for url in self.servers:
            if not is_loopback(urlsplit(url if "://" in url else f"nats://{url}").hostname or ""):
                raise NotAllowed(
                    "readings would cross the network for all to see",
                    where=url,
                    hint="Give --tls-ca, --tls-cert and --tls-key (bimetal certify --member makes them)",
                )


def cluster_of(options: dict[str, Any]) -> Cluster:
    """Return what the options of `on_cluster` say."""
    servers = tuple(url for url in options["cluster"].split(",") if url)
    tls = (options["tls_ca"], options["tls_cert"], options["tls_key"])
    named = (options["fleet"], options["shards"], options["replicas"])
    return Cluster(servers, options["credentials"], *tls, *named)


def on_cluster(command: F) -> F:
    """Add --cluster, --credentials, --tls-*, --fleet, --shards and --replicas; `cluster_of` reads them."""
    for option in reversed((
        click.option(
            "--cluster", default="nats://127.0.0.1:4222", show_default=True, help="NATS servers, with commas."
        ),
        click.option(
            "--credentials", type=click.Path(path_type=Path), help="The credentials file of your NATS."
        ),
        on_tls,
        click.option("--fleet", default="bimetal", show_default=True, help="What the fleet is called."),
        click.option("--shards", type=int, default=64, show_default=True, help="Parts it has, for ever."),
        click.option("--replicas", type=int, default=1, show_default=True, help="Servers that keep it all."),
    )):  # fmt: skip
        command = option(command)
    return command


def on_tls(command: F) -> F:
    """Add --tls-ca, --tls-cert and --tls-key."""
    path = click.Path(path_type=Path)
    for option in reversed((
        click.option("--tls-ca", type=path, help="The authority of the fleet (PEM): TLS, its members alone."),
        click.option("--tls-cert", type=path, help="The certificate of this process (PEM)."),
        click.option("--tls-key", type=path, help="The key of that certificate (PEM)."),
    )):  # fmt: skip
        command = option(command)
    return command


def process_name() -> str:
    """Return a name for this process that no other has, or had."""
    host = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in socket.gethostname())
    return f"{host[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
