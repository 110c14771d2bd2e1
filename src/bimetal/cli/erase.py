"""`bimetal erase`: a device and all that was kept of it go, also out of a server that runs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(cls=Command, examples=("bimetal erase pump-1 --data plant-data",))
@click.argument("device")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder of what is kept.")
@click.option("--yes", is_flag=True, help="Do not ask whether that is meant.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=60, show_default=True, help="Wait no longer for a server."
)
@as_json()
def command(device: str, data: Path, yes: bool, seconds: float, as_json: bool) -> None:
    """Erase a device: its readings, events, sessions, messages and token; it cannot be brought back.

    A server that runs on this folder does it: it cuts the device off and forgets it. Certificates
    made before count no longer here. A kill or a power cut only delays it. The receipt says what
    went, and what could not be reached; it stays in the folder and does not name the device.
    """
    from bimetal.cli.erasing import erase, lines, record

    if not yes:
        click.confirm(f"Erase {device!a} and everything that was kept of it?", abort=True, err=True)
    done = erase(data, device, seconds)
    if as_json:
        click.echo(json.dumps(record(done, device)))
        return
    for line in lines(done, device):
        click.echo(line)
