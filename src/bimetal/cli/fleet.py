"""Fleet: the options that every command past one machine has."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def on_cluster(command: F) -> F:
    """Add --cluster, --credentials, --fleet, --shards and --replicas."""
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
