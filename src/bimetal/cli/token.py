"""`bimetal token`: let a device in, or no longer."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(cls=Command, examples=("bimetal token pump-1 --data plant-data",))
@click.argument("device")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder of bimetal serve.")
@click.option("--revoke", is_flag=True, help="Let the device in no longer.")
@as_json()
def command(device: str, data: Path, revoke: bool, as_json: bool) -> None:
    """Make a token for a device, in place of one it had; it is shown this once and counts at once."""
    from bimetal.keep.archive import TOKENS
    from bimetal.trust.token import TokenFile

    tokens = TokenFile(data / TOKENS)
    if revoke:
        tokens.revoke(device)
        click.echo(
            json.dumps({"device": device, "revoked": True}) if as_json else f"{device} has no token now."
        )
        return
    token = tokens.make(device, secrets.token_bytes)
    click.echo(json.dumps({"device": device, "token": token}) if as_json else token)
    if not as_json:
        click.echo(f"Only this device may use it: MQTT user {device}, password the token.", err=True)
